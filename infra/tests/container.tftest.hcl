# The posture of the container definition, field by field.

run "posture" {
  command = plan

  module {
    source = "./modules/container"
  }

  variables {
    name         = "tier"
    image        = "example.org/tier:sha-0123abcd"
    user         = "10025:10025"
    memory       = { hard = 128, reserved = 64 }
    ports        = [25]
    environment  = { B = "2", A = "1" }
    secrets      = { KEY = "arn:aws:ssm:us-east-1:123456789012:parameter/key" }
    tmpfs        = { "/run" = { size = 16, exec = true }, "/tmp" = { size = 8 } }
    mounts       = { "/queue" = { volume = "queue" } }
    sysctls      = { "net.ipv4.ip_unprivileged_port_start" = "0" }
    health_check = { command = ["/usr/bin/sinkholectl", "check"] }
    log          = { group = "/ecs/tier", region = "us-east-1", prefix = "tier" }
  }

  assert {
    condition     = output.definition.user == "10025:10025"
    error_message = "user"
  }
  assert {
    condition     = output.definition.readonlyRootFilesystem && !output.definition.privileged
    error_message = "the root must be read-only and the container unprivileged"
  }
  assert {
    condition     = jsonencode(output.definition.dockerSecurityOptions) == "[\"no-new-privileges\"]"
    error_message = "dockerSecurityOptions must be the bare word; ECS refuses no-new-privileges:true"
  }
  assert {
    condition     = jsonencode(output.definition.linuxParameters.capabilities) == "{\"add\":[],\"drop\":[\"ALL\"]}"
    error_message = "all capabilities must be dropped and none added"
  }
  assert {
    condition     = output.definition.linuxParameters.initProcessEnabled
    error_message = "an init must reap and pass on signals"
  }
  assert {
    condition = jsonencode(output.definition.linuxParameters.tmpfs) == jsonencode([
      { containerPath = "/run", mountOptions = ["rw", "nosuid", "nodev", "exec"], size = 16 },
      { containerPath = "/tmp", mountOptions = ["rw", "nosuid", "nodev", "noexec"], size = 8 },
    ])
    error_message = "tmpfs"
  }
  assert {
    condition     = jsonencode(output.definition.systemControls) == "[{\"namespace\":\"net.ipv4.ip_unprivileged_port_start\",\"value\":\"0\"}]"
    error_message = "systemControls"
  }
  assert {
    condition     = output.definition.memory == 128 && output.definition.memoryReservation == 64
    error_message = "memory"
  }
  assert {
    condition = jsonencode(output.definition.healthCheck) == jsonencode({
      command = ["CMD", "/usr/bin/sinkholectl", "check"], interval = 30, retries = 3, startPeriod = 15, timeout = 5,
    })
    error_message = "healthCheck must be of the CMD form, without a shell"
  }
  assert {
    condition = jsonencode(output.definition.logConfiguration) == jsonencode({
      logDriver = "awslogs"
      options = {
        awslogs-group = "/ecs/tier", awslogs-region = "us-east-1", awslogs-stream-prefix = "tier", mode = "blocking",
      }
    })
    error_message = "logConfiguration"
  }
  assert {
    condition     = jsonencode(output.definition.environment) == "[{\"name\":\"A\",\"value\":\"1\"},{\"name\":\"B\",\"value\":\"2\"}]"
    error_message = "environment"
  }
  assert {
    condition     = output.definition.secrets[0].valueFrom == "arn:aws:ssm:us-east-1:123456789012:parameter/key"
    error_message = "secrets"
  }
  assert {
    condition     = jsonencode(output.definition.portMappings) == "[{\"containerPort\":25,\"hostPort\":25,\"protocol\":\"tcp\"}]"
    error_message = "portMappings"
  }
  assert {
    condition     = jsonencode(output.definition.mountPoints) == "[{\"containerPath\":\"/queue\",\"readOnly\":false,\"sourceVolume\":\"queue\"}]"
    error_message = "mountPoints"
  }
  assert {
    condition     = output.definition.stopTimeout == 30 && output.definition.essential
    error_message = "stopTimeout, essential"
  }
  assert {
    condition     = output.json == jsonencode([output.definition])
    error_message = "json must be the list of the one definition"
  }
}

# A tier whose daemons start as root, with ECS Exec and a log that may not block.
run "variants" {
  command = plan

  module {
    source = "./modules/container"
  }

  variables {
    name           = "tier"
    image          = "example.org:5000/tier@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    user           = "0:0"
    memory         = { hard = 512, reserved = 256 }
    capabilities   = ["SETUID", "CHOWN"]
    read_only_root = false
    exec           = true
    health_check   = { command = ["/bin/true"] }
    log            = { group = "/ecs/tier", region = "us-east-1", prefix = "tier", blocking = false }
  }

  assert {
    condition     = jsonencode(output.definition.linuxParameters.capabilities.add) == "[\"CHOWN\",\"SETUID\"]"
    error_message = "capabilities must be added in a stable order"
  }
  assert {
    condition     = !output.definition.readonlyRootFilesystem
    error_message = "read_only_root = false must come through"
  }
  assert {
    condition     = [for mount in output.definition.linuxParameters.tmpfs : mount.containerPath] == ["/var/lib/amazon", "/var/log/amazon"]
    error_message = "ECS Exec needs its two writable mounts"
  }
  assert {
    condition     = output.definition.logConfiguration.options["max-buffer-size"] == "4m"
    error_message = "a log that may not block needs a buffer"
  }
}

run "refuses_bad_input" {
  command = plan

  module {
    source = "./modules/container"
  }

  variables {
    name         = "two words"
    image        = "example.org/tier:latest"
    user         = "mail"
    memory       = { hard = 64, reserved = 128 }
    ports        = [0]
    secrets      = { KEY = "the secret itself" }
    capabilities = ["NET_ADMIN"]
    tmpfs        = { "/run" = { size = 0 } }
    mounts       = { "queue" = { volume = "queue" } }
    sysctls      = { "kernel.shmmax" = "1" }
    health_check = { command = ["sinkholectl", "check"], interval = 1 }
    stop_timeout = 300
    log          = { group = "/ecs/tier", region = "us-east-1", prefix = "tier" }
  }

  expect_failures = [
    var.name, var.image, var.user, var.memory, var.ports, var.secrets, var.capabilities,
    var.tmpfs, var.mounts, var.sysctls, var.health_check, var.stop_timeout,
  ]
}
