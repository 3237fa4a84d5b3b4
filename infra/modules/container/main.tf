# One hardened container definition, as data. Every tier goes through here, so
# that its posture is written once.

locals {
  # The agent of ECS Exec keeps its state and its log in these two. The first
  # stays executable: what the agent unpacks there is not documented.
  exec_mounts = var.exec ? {
    "/var/lib/amazon" = { size = 8, exec = true }
    "/var/log/amazon" = { size = 8, exec = false }
  } : {}

  tmpfs = [
    for path, mount in merge(local.exec_mounts, var.tmpfs) : {
      containerPath = path
      size          = mount.size
      # Docker mounts a tmpfs noexec unless it is told otherwise.
      mountOptions = ["rw", "nosuid", "nodev", mount.exec ? "exec" : "noexec"]
    }
  ]

  log_options = merge(
    {
      "awslogs-group"         = var.log.group
      "awslogs-region"        = var.log.region
      "awslogs-stream-prefix" = var.log.prefix
      "mode"                  = var.log.blocking ? "blocking" : "non-blocking"
    },
    var.log.blocking ? {} : { "max-buffer-size" = "4m" },
  )

  definition = {
    name                   = var.name
    image                  = var.image
    essential              = true
    user                   = var.user
    memory                 = var.memory.hard
    memoryReservation      = var.memory.reserved
    readonlyRootFilesystem = var.read_only_root
    privileged             = false
    stopTimeout            = var.stop_timeout

    # The bare word: ECS refuses "no-new-privileges:true".
    dockerSecurityOptions = ["no-new-privileges"]

    linuxParameters = {
      initProcessEnabled = true
      tmpfs              = local.tmpfs
      capabilities = {
        drop = ["ALL"]
        add  = sort(var.capabilities)
      }
    }

    environment    = [for name, value in var.environment : { name = name, value = value }]
    secrets        = [for name, arn in var.secrets : { name = name, valueFrom = arn }]
    portMappings   = [for port in var.ports : { containerPort = port, hostPort = port, protocol = "tcp" }]
    systemControls = [for name, value in var.sysctls : { namespace = name, value = value }]
    mountPoints = [
      for path, mount in var.mounts : {
        containerPath = path
        sourceVolume  = mount.volume
        readOnly      = mount.read_only
      }
    ]

    healthCheck = {
      command     = concat(["CMD"], var.health_check.command)
      interval    = var.health_check.interval
      timeout     = var.health_check.timeout
      retries     = var.health_check.retries
      startPeriod = var.health_check.start_period
    }

    logConfiguration = {
      logDriver = "awslogs"
      options   = local.log_options
    }
  }
}
