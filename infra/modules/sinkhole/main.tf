# The tier: one small task that answers SMTP as the mode parameter says.

locals {
  count        = var.sinkhole ? 1 : 0
  desired      = var.quiesced ? 0 : 1
  name         = "cabal-sinkhole"
  cluster_name = reverse(split("/", var.cluster_arn))[0]

  # An allow-list, so that a name nobody thought of is refused as well.
  allowed_environments = ["dev", "development", "stage", "staging", "test"]
}

resource "aws_cloudwatch_log_group" "this" {
  count = local.count

  name              = "/ecs/${local.name}"
  retention_in_days = 365
}

resource "aws_ssm_parameter" "mode" {
  count = local.count

  name            = var.mode_parameter
  description     = "How the sinkhole answers RCPT TO"
  type            = "String"
  value           = "defer"
  allowed_pattern = "^(defer|bounce|accept|accept-log|greylist)$"

  lifecycle {
    # Operators own the value; Terraform only makes the parameter.
    ignore_changes = [value]
  }
}

module "container" {
  source = "../container"
  count  = local.count

  name   = "sinkhole"
  image  = var.image
  user   = "10025:10025"
  memory = { hard = 128, reserved = 64 }
  ports  = [25]
  exec   = var.exec

  environment = merge(var.settings, {
    TIER                 = "sinkhole"
    AWS_REGION           = var.region
    SINKHOLE_MODE_PARAM  = var.mode_parameter
    SINKHOLE_SERVER_NAME = var.server_name
    # The program refuses prod by itself, whoever started it.
    SINKHOLE_ENVIRONMENT = var.environment
  })

  # The board and s6's state are in /run; nothing is executed from either.
  tmpfs = {
    "/run" = { size = 16 }
    "/tmp" = { size = 8 }
  }

  # Port 25 without root and without a capability.
  sysctls = { "net.ipv4.ip_unprivileged_port_start" = "0" }

  health_check = {
    command      = ["/usr/bin/sinkholectl", "check"]
    interval     = 10
    timeout      = 5
    retries      = 3
    start_period = 15
  }

  # The program bounds its own wait for a slow log and counts what it drops;
  # non-blocking mode would drop lines that nobody counts.
  log = {
    group    = "/ecs/${local.name}"
    region   = var.region
    prefix   = "sinkhole"
    blocking = true
  }

  stop_timeout = 30
}

# container_definitions is ignored below, so that a deployed image is not
# rolled back; this makes every other change come through all the same.
resource "terraform_data" "posture" {
  count = local.count
  input = module.container[0].posture
}

resource "aws_ecs_task_definition" "this" {
  count = local.count

  family                   = local.name
  requires_compatibilities = ["EC2"]
  network_mode             = "awsvpc"
  execution_role_arn       = var.execution_role_arn
  task_role_arn            = aws_iam_role.task[0].arn
  container_definitions    = module.container[0].json

  # A deployment registers revisions of its own; the newest is the current one.
  track_latest = true

  lifecycle {
    create_before_destroy = true
    ignore_changes        = [container_definitions]
    replace_triggered_by  = [terraform_data.posture]

    precondition {
      condition     = contains(local.allowed_environments, var.environment)
      error_message = "Sinkhole tier must never run in prod. environment is \"${var.environment}\"; it may be ${join(", ", local.allowed_environments)}."
    }
  }
}

resource "aws_ecs_service" "this" {
  count = local.count

  name            = local.name
  cluster         = var.cluster_arn
  task_definition = aws_ecs_task_definition.this[0].arn
  desired_count   = local.desired

  # One task at most: two would each see half of the attempts.
  deployment_maximum_percent         = 100
  deployment_minimum_healthy_percent = 0
  enable_execute_command             = var.exec

  launch_type = var.capacity_provider == null ? "EC2" : null

  dynamic "capacity_provider_strategy" {
    for_each = var.capacity_provider[*]

    content {
      capacity_provider = capacity_provider_strategy.value
      weight            = 1
    }
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets         = var.private_subnets
    security_groups = [aws_security_group.this[0].id]
  }

  service_registries {
    registry_arn = aws_service_discovery_service.this[0].arn
  }
}

# A second opinion on where this is: what the cluster's own tag says, not what
# the caller says. The plan script turns a failed check into a refusal.
check "not_in_prod" {
  data "aws_ecs_cluster" "target" {
    cluster_name = local.cluster_name
  }

  assert {
    condition     = !var.sinkhole || !can(regex("(?i)prod", lookup(data.aws_ecs_cluster.target.tags, "Environment", "")))
    error_message = "Sinkhole tier must never run in prod: the cluster ${local.cluster_name} is tagged as such."
  }
}
