# The guards against a sinkhole in prod, each by itself.

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

# 1. The root's variable: an allow-list, so "production" is refused as well.
run "variable_refuses_prod" {
  command = plan

  variables {
    environment = "prod"
  }

  expect_failures = [var.sinkhole]
}

run "variable_refuses_production" {
  command = plan

  variables {
    environment = "production"
  }

  expect_failures = [var.sinkhole]
}

run "variable_refuses_what_it_does_not_know" {
  command = plan

  variables {
    environment = "blue"
  }

  expect_failures = [var.sinkhole]
}

run "variable_refuses_other_spellings" {
  command = plan

  variables {
    environment = "PROD"
  }

  expect_failures = [var.environment]
}

# 2. The task definition's precondition: the module is called past the root.
run "precondition_refuses_prod" {
  command = plan

  module {
    source = "./modules/sinkhole"
  }

  variables {
    environment = "prod"
  }

  expect_failures = [aws_ecs_task_definition.this]
}

run "precondition_refuses_production" {
  command = plan

  module {
    source = "./modules/sinkhole"
  }

  variables {
    environment = "production"
  }

  expect_failures = [aws_ecs_task_definition.this]
}

# 3. The check: the caller says stage, the cluster's tag says otherwise.
run "check_refuses_a_prod_cluster" {
  command = plan

  module {
    source = "./modules/sinkhole"
  }

  override_data {
    target = data.aws_ecs_cluster.target
    values = {
      tags = { Environment = "Production" }
    }
  }

  expect_failures = [check.not_in_prod]
}

# 4. The route has its own.
run "route_refuses_prod" {
  command = plan

  module {
    source = "./modules/smtp-out-route"
  }

  variables {
    environment = "prod"
    leak_alarm  = false
  }

  expect_failures = [var.environment]
}

# 5. The program's own refusal is fed with the deployment's name.
run "program_is_told_where_it_is" {
  command = plan

  module {
    source = "./modules/sinkhole"
  }

  assert {
    condition     = contains(output.container.environment, { name = "SINKHOLE_ENVIRONMENT", value = "stage" })
    error_message = "SINKHOLE_ENVIRONMENT must name the deployment"
  }
}
