# smtp-out with the route and the queue: what the route module is for.

locals {
  smtp_out = var.smtp_out == null ? {} : { smtp-out = var.smtp_out }

  # Known by name, so that the route can watch a log group of another stack.
  smtp_out_log_group = "/ecs/cabal-smtp-out"
}

module "mail_storage" {
  source   = "./modules/mail-storage"
  for_each = local.smtp_out

  file_system_id = each.value.file_system_id
}

module "smtp_out_container" {
  source   = "./modules/container"
  for_each = local.smtp_out

  name           = each.key
  image          = each.value.image
  user           = "0:0"
  memory         = { hard = each.value.memory_hard_mib, reserved = each.value.memory_reserved_mib }
  ports          = [25, 465, 587]
  read_only_root = each.value.read_only_root
  stop_timeout   = each.value.stop_timeout_seconds
  exec           = each.value.exec
  secrets        = each.value.secrets

  environment = merge(
    each.value.environment,
    { TIER = each.key, AWS_REGION = var.region },
    module.smtp_out_route.environment,
    # The task refuses the route by itself where this is prod.
    var.sinkhole ? { SINKHOLE_ENVIRONMENT = var.environment } : {},
  )

  # The default is what sendmail, dovecot and opendkim need to start as root and
  # become others.
  capabilities = each.value.capabilities

  tmpfs = {
    "/run" = { size = 32, exec = true }
    "/tmp" = { size = 64 }
  }

  mounts       = { "/var/spool/mqueue" = { volume = module.mail_storage[each.key].queue_volume.name } }
  health_check = { command = each.value.health_check, start_period = 120 }
  log          = { group = local.smtp_out_log_group, region = var.region, prefix = each.key }
}

resource "aws_cloudwatch_log_group" "smtp_out" {
  for_each = local.smtp_out

  name              = local.smtp_out_log_group
  retention_in_days = 365
}

# The marker is what carries the flag, and the mounts of ECS Exec, past ignore_changes.
resource "terraform_data" "smtp_out_revision" {
  for_each = local.smtp_out
  input    = "v1${module.smtp_out_route.marker}${each.value.exec ? "+exec" : ""}"
}

resource "aws_ecs_task_definition" "smtp_out" {
  for_each = local.smtp_out

  family                   = "cabal-${each.key}"
  requires_compatibilities = ["EC2"]
  network_mode             = "awsvpc"
  execution_role_arn       = local.execution_role_arn
  task_role_arn            = each.value.task_role_arn
  container_definitions    = module.smtp_out_container[each.key].json
  track_latest             = true

  volume {
    name = module.mail_storage[each.key].queue_volume.name

    efs_volume_configuration {
      file_system_id     = module.mail_storage[each.key].queue_volume.file_system_id
      root_directory     = module.mail_storage[each.key].queue_volume.root_directory
      transit_encryption = module.mail_storage[each.key].queue_volume.transit_encryption

      authorization_config {
        access_point_id = module.mail_storage[each.key].queue_volume.access_point_id
        iam             = "DISABLED"
      }
    }
  }

  lifecycle {
    create_before_destroy = true
    ignore_changes        = [container_definitions]
    replace_triggered_by  = [terraform_data.smtp_out_revision[each.key]]
  }
}

resource "aws_ecs_service" "smtp_out" {
  for_each = local.smtp_out

  name            = "cabal-${each.key}"
  cluster         = local.cluster_arn
  task_definition = aws_ecs_task_definition.smtp_out[each.key].arn
  desired_count   = var.quiesced ? 0 : each.value.desired_count

  deployment_minimum_healthy_percent = each.value.minimum_healthy
  deployment_maximum_percent         = each.value.maximum
  enable_execute_command             = each.value.exec

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
    security_groups = each.value.security_group_ids
  }
}
