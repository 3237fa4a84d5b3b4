# The root stack: the flag, the route and the queue together.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  environment     = "stage"
  vpc_id          = "vpc-0123"
  cidr_block      = "10.0.0.0/16"
  private_subnets = ["subnet-0123"]
  namespace_id    = "ns-0123"

  smtp_out = {
    image              = "example.org/cabal-smtp-out:sha-0123abcd"
    health_check       = ["/usr/bin/true"]
    file_system_id     = "fs-0123456789abcdef0"
    task_role_arn      = "arn:aws:iam::123456789012:role/cabal-ecs-smtp-out-task-role"
    security_group_ids = ["sg-0123"]
    environment        = { CERT_DOMAIN = "example.org" }
  }
}

run "image_is_the_deployed_tag" {
  command = plan

  variables {
    sinkhole = true
    smtp_out = null
  }

  assert {
    condition     = output.container.image == "123456789012.dkr.ecr.us-east-1.amazonaws.com/cabal-sinkhole:sha-0123abcd"
    error_message = "the image must be the one that was deployed"
  }
}

run "image_must_have_been_deployed" {
  command = plan

  variables {
    sinkhole = true
    smtp_out = null
  }

  override_data {
    target = data.aws_ssm_parameter.image_tag
    values = { value = "bootstrap-placeholder", insecure_value = "bootstrap-placeholder" }
  }

  expect_failures = [data.aws_ssm_parameter.image_tag]
}

run "route_on" {
  command = plan

  variables {
    sinkhole = true
  }

  assert {
    condition     = contains(module.smtp_out_container["smtp-out"].definition.environment, { name = "SINKHOLE_ENABLED", value = "true" })
    error_message = "smtp-out must be told to route"
  }
  assert {
    condition     = terraform_data.smtp_out_revision["smtp-out"].input == "v1+sinkhole"
    error_message = "the marker must change with the flag"
  }
  assert {
    condition     = output.smtp_out_environment == tomap({ SINKHOLE_ENABLED = "true" }) && output.smtp_out_marker == "+sinkhole"
    error_message = "outputs for a stack that runs smtp-out itself"
  }
}

run "route_off" {
  command = plan

  assert {
    condition     = !strcontains(module.smtp_out_container["smtp-out"].json, "SINKHOLE")
    error_message = "smtp-out must not even mention the sinkhole"
  }
  assert {
    condition     = terraform_data.smtp_out_revision["smtp-out"].input == "v1"
    error_message = "the marker must change with the flag"
  }
  assert {
    condition     = !aws_ecs_service.smtp_out["smtp-out"].enable_execute_command
    error_message = "ECS Exec is off where nobody asks for it"
  }
  assert {
    condition     = length(output.smtp_out_environment) == 0 && output.smtp_out_marker == ""
    error_message = "outputs for a stack that runs smtp-out itself"
  }
}

run "exec_in_smtp_out" {
  command = plan

  variables {
    smtp_out = {
      image              = "example.org/cabal-smtp-out:sha-0123abcd"
      health_check       = ["/usr/bin/true"]
      file_system_id     = "fs-0123456789abcdef0"
      task_role_arn      = "arn:aws:iam::123456789012:role/cabal-ecs-smtp-out-task-role"
      security_group_ids = ["sg-0123"]
      exec               = true
    }
  }

  assert {
    condition     = aws_ecs_service.smtp_out["smtp-out"].enable_execute_command
    error_message = "the runbook reads mailq through ECS Exec"
  }
  assert {
    condition     = strcontains(module.smtp_out_container["smtp-out"].json, "/var/lib/amazon")
    error_message = "its agent needs a place to write"
  }
  assert {
    condition     = terraform_data.smtp_out_revision["smtp-out"].input == "v1+exec"
    error_message = "the mounts must come with a new revision"
  }
}

run "leak_alarm_with_the_route" {
  command = plan

  module {
    source = "./modules/smtp-out-route"
  }

  variables {
    sinkhole   = true
    leak_alarm = true
  }

  assert {
    condition     = aws_cloudwatch_log_metric_filter.leak[0].log_group_name == "/ecs/cabal-smtp-out"
    error_message = "log group of smtp-out"
  }
  assert {
    condition     = aws_cloudwatch_log_metric_filter.leak[0].pattern == "\"@sinkhole.test\" \"stat=Sent\" -\"relay=sinkhole.cabal.internal\" -\"mailer=relay\""
    error_message = "pattern"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.leak[0].threshold == 1 && aws_cloudwatch_metric_alarm.leak[0].metric_name == "SinkholeLeak"
    error_message = "alarm"
  }
}

run "leak_alarm_in_prod" {
  command = plan

  module {
    source = "./modules/smtp-out-route"
  }

  variables {
    sinkhole    = false
    environment = "prod"
    leak_alarm  = true
  }

  assert {
    condition     = aws_cloudwatch_log_metric_filter.leak[0].pattern == "\"@sinkhole.test\""
    error_message = "without a route any mention is a leak"
  }
}

run "storage" {
  command = plan

  module {
    source = "./modules/mail-storage"
  }

  variables {
    file_system_id = "fs-0123456789abcdef0"
  }

  assert {
    condition     = aws_efs_access_point.queue.root_directory[0].path == "/smtp-queue"
    error_message = "queue directory"
  }
  assert {
    condition = aws_efs_access_point.queue.root_directory[0].creation_info[0] == {
      owner_uid = 0, owner_gid = 12, permissions = "0700",
    }
    error_message = "the queue is root's and mail's alone"
  }
  assert {
    condition     = length(aws_efs_access_point.queue.posix_user) == 0
    error_message = "a posix user would give every queue file to one owner"
  }
  assert {
    condition     = output.queue_volume.transit_encryption == "ENABLED" && output.mailstore_volume.transit_encryption == "ENABLED"
    error_message = "both volumes must be encrypted on the wire"
  }
  assert {
    condition     = output.mailstore_volume.access_point_id == null && output.mailstore_volume.root_directory == "/"
    error_message = "the mailstore is a tree of many owners, mounted as it is"
  }
}
