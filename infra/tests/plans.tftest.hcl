# Plans that are looked at as a whole: test_terraform.py has the list of what
# each may consist of.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  vpc_id          = "vpc-0123"
  cidr_block      = "10.0.0.0/16"
  private_subnets = ["subnet-0123"]
  namespace_id    = "ns-0123"
}

run "off_in_prod" {
  command = plan

  variables {
    environment = "prod"
  }

  assert {
    condition     = output.container == null && output.task_definition_arn == null && output.mode_parameter_arn == null
    error_message = "without the flag there is no tier"
  }
}

run "off_in_stage" {
  command = plan

  variables {
    environment = "stage"
  }
}

run "on_in_stage" {
  command = plan

  variables {
    environment = "stage"
    sinkhole    = true
  }
}

run "module_off" {
  command = plan

  module {
    source = "./modules/sinkhole"
  }

  variables {
    environment        = "prod"
    image              = ""
    region             = "us-east-1"
    cluster_arn        = "arn:aws:ecs:us-east-1:123456789012:cluster/cabal-mail"
    execution_role_arn = "arn:aws:iam::123456789012:role/cabal-ecs-execution-role"
  }

  assert {
    condition     = output.container == null && output.service_name == null && output.task_definition_arn == null
    error_message = "nothing may be left when the flag is off"
  }
}
