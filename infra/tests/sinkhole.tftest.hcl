# The tier, attribute by attribute.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  environment        = "stage"
  sinkhole           = true
  image              = "example.org/cabal-sinkhole:sha-0123abcd"
  region             = "us-east-1"
  cluster_arn        = "arn:aws:ecs:us-east-1:123456789012:cluster/cabal-mail"
  execution_role_arn = "arn:aws:iam::123456789012:role/cabal-ecs-execution-role"
  vpc_id             = "vpc-0123"
  cidr_block         = "10.0.0.0/16"
  private_subnets    = ["subnet-0123"]
  namespace_id       = "ns-0123"
}

run "module_on" {
  command = plan

  module {
    source = "./modules/sinkhole"
  }

  assert {
    condition     = aws_ecs_task_definition.this[0].family == "cabal-sinkhole" && aws_ecs_service.this[0].name == "cabal-sinkhole"
    error_message = "family and service must have the running system's name"
  }
  assert {
    condition     = aws_ecs_task_definition.this[0].network_mode == "awsvpc" && aws_ecs_task_definition.this[0].requires_compatibilities == toset(["EC2"])
    error_message = "EC2 with awsvpc"
  }
  assert {
    condition     = output.container.name == "sinkhole" && output.container.memory == 128 && output.container.memoryReservation == 64
    error_message = "container name and memory"
  }
  assert {
    condition     = output.container.user == "10025:10025" && output.container.readonlyRootFilesystem && length(output.container.linuxParameters.capabilities.add) == 0
    error_message = "the tier has no exception from the posture"
  }
  assert {
    condition     = jsonencode(output.container.healthCheck.command) == "[\"CMD\",\"/usr/bin/sinkholectl\",\"check\"]"
    error_message = "health check"
  }
  assert {
    condition = { for v in output.container.environment : v.name => v.value } == {
      TIER                 = "sinkhole"
      AWS_REGION           = "us-east-1"
      SINKHOLE_MODE_PARAM  = "/cabal/sinkhole_mode"
      SINKHOLE_SERVER_NAME = "sinkhole.cabal.internal"
      SINKHOLE_ENVIRONMENT = "stage"
    }
    error_message = "environment"
  }
  assert {
    condition     = aws_ecs_service.this[0].desired_count == 1 && aws_ecs_service.this[0].deployment_maximum_percent == 100 && aws_ecs_service.this[0].deployment_minimum_healthy_percent == 0
    error_message = "one task, never two"
  }
  assert {
    condition     = aws_ecs_service.this[0].deployment_circuit_breaker[0].enable && aws_ecs_service.this[0].deployment_circuit_breaker[0].rollback
    error_message = "circuit breaker"
  }
  assert {
    condition     = !aws_ecs_service.this[0].enable_execute_command && length(aws_iam_role_policy.exec) == 0
    error_message = "ECS Exec must be off unless asked for"
  }
  assert {
    condition = (
      aws_service_discovery_service.this[0].name == "sinkhole" &&
      aws_service_discovery_service.this[0].dns_config[0].routing_policy == "MULTIVALUE" &&
      aws_service_discovery_service.this[0].dns_config[0].namespace_id == "ns-0123" &&
      aws_service_discovery_service.this[0].dns_config[0].dns_records[0].type == "A" &&
      aws_service_discovery_service.this[0].dns_config[0].dns_records[0].ttl == 10
    )
    error_message = "Cloud Map service"
  }
  assert {
    condition     = aws_ssm_parameter.mode[0].name == "/cabal/sinkhole_mode" && aws_ssm_parameter.mode[0].type == "String" && nonsensitive(aws_ssm_parameter.mode[0].value) == "defer"
    error_message = "mode parameter"
  }
  assert {
    condition = alltrue([
      for mode in ["defer", "bounce", "accept", "accept-log", "greylist"] : can(regex(aws_ssm_parameter.mode[0].allowed_pattern, mode))
      ]) && !anytrue([
      for typo in ["", "Defer", "defer ", "accept-logs", "deferbounce", "x\ndefer"] : can(regex(aws_ssm_parameter.mode[0].allowed_pattern, typo))
    ])
    error_message = "allowed_pattern must take the five modes and refuse typos"
  }
  assert {
    condition     = aws_security_group.this[0].name == "cabal-ecs-sinkhole-sg"
    error_message = "security group"
  }
  assert {
    condition = (
      aws_vpc_security_group_ingress_rule.smtp[0].from_port == 25 && aws_vpc_security_group_ingress_rule.smtp[0].to_port == 25 &&
      aws_vpc_security_group_ingress_rule.smtp[0].cidr_ipv4 == "10.0.0.0/16" &&
      aws_vpc_security_group_egress_rule.https[0].from_port == 443 && aws_vpc_security_group_egress_rule.https[0].to_port == 443
    )
    error_message = "25 in from the VPC, 443 out, no more"
  }
  assert {
    condition     = aws_cloudwatch_log_group.this[0].name == "/ecs/cabal-sinkhole" && aws_cloudwatch_log_group.this[0].retention_in_days == 365
    error_message = "log group"
  }
  assert {
    condition     = aws_iam_role.task[0].name == "cabal-ecs-sinkhole-task-role" && aws_iam_role_policy.task[0].name == "cabal-ecs-sinkhole-task-access"
    error_message = "role and policy names"
  }
  assert {
    condition     = jsondecode(aws_iam_role.task[0].assume_role_policy).Statement[0].Principal == { Service = "ecs-tasks.amazonaws.com" }
    error_message = "only ECS tasks may take the role"
  }
  assert {
    condition = { for name, alarm in aws_cloudwatch_metric_alarm.this : name => alarm.metric_name } == {
      mode-stale = "ModeSourceFailing", workers-crash = "WorkersDied",
    }
    error_message = "the two alarms"
  }
  assert {
    condition = { for filter in aws_cloudwatch_log_metric_filter.this : filter.pattern => filter.metric_transformation[0].value } == {
      "{ $.event = \"source_failing\" }" = "1"
      "{ $.event = \"worker_died\" }"    = "1"
    }
    error_message = "the metric filters"
  }
}

run "policy_is_one_action_on_one_parameter" {
  command = plan

  module {
    source = "./modules/sinkhole"
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.task[0].policy) == {
      Version = "2012-10-17"
      Statement = [{
        Effect   = "Allow"
        Action   = "ssm:GetParameter"
        Resource = "arn:aws:ssm:us-east-1:123456789012:parameter/cabal/sinkhole_mode"
      }]
    }
    error_message = "the task role may do one thing"
  }
}

run "quiesced" {
  command = plan

  module {
    source = "./modules/sinkhole"
  }

  variables {
    quiesced = true
  }

  assert {
    condition     = aws_ecs_service.this[0].desired_count == 0
    error_message = "a sleeping tier has no task"
  }
  assert {
    condition     = length(aws_service_discovery_service.this) == 1 && length(aws_ecs_service.this) == 1
    error_message = "a sleeping tier keeps its name and its service"
  }
  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : !alarm.actions_enabled])
    error_message = "a sleeping tier must not ring"
  }
}

run "exec_on" {
  command = plan

  module {
    source = "./modules/sinkhole"
  }

  variables {
    exec = true
  }

  assert {
    condition     = aws_ecs_service.this[0].enable_execute_command
    error_message = "enable_execute_command"
  }
  assert {
    condition     = toset([for m in output.container.linuxParameters.tmpfs : m.containerPath]) == toset(["/run", "/tmp", "/var/lib/amazon", "/var/log/amazon"])
    error_message = "the agent of ECS Exec needs writable mounts"
  }
  assert {
    condition     = alltrue([for action in jsondecode(aws_iam_role_policy.exec[0].policy).Statement[0].Action : startswith(action, "ssmmessages:")])
    error_message = "exec adds ssmmessages and nothing else"
  }
}

run "refuses_bad_input" {
  command = plan

  module {
    source = "./modules/sinkhole"
  }

  variables {
    environment     = "Stage 1"
    cluster_arn     = "cabal-mail"
    cidr_block      = "0.0.0.0/0"
    private_subnets = []
    mode_parameter  = "sinkhole_mode"
    settings        = { SINKHOLE_ENVIRONMENT = "elsewhere" }
  }

  expect_failures = [
    var.environment, var.cluster_arn, var.cidr_block, var.private_subnets, var.mode_parameter, var.settings,
  ]
}
