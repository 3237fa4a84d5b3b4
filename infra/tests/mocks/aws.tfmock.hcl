# Values that stand for what AWS would answer, where the default (a random
# word) would not pass for an ARN or an id.

mock_resource "aws_ecr_repository" {
  defaults = {
    arn            = "arn:aws:ecr:us-east-1:123456789012:repository/cabal-sinkhole"
    repository_url = "123456789012.dkr.ecr.us-east-1.amazonaws.com/cabal-sinkhole"
  }
}

mock_resource "aws_iam_role" {
  defaults = {
    arn = "arn:aws:iam::123456789012:role/cabal-ecs-sinkhole-task-role"
  }
}

mock_resource "aws_ssm_parameter" {
  defaults = {
    arn = "arn:aws:ssm:us-east-1:123456789012:parameter/cabal/sinkhole_mode"
  }
}

mock_resource "aws_ecs_task_definition" {
  defaults = {
    arn = "arn:aws:ecs:us-east-1:123456789012:task-definition/cabal-sinkhole:1"
  }
}

mock_resource "aws_service_discovery_service" {
  defaults = {
    id  = "srv-0123456789abcdef0"
    arn = "arn:aws:servicediscovery:us-east-1:123456789012:service/srv-0123456789abcdef0"
  }
}

mock_resource "aws_efs_access_point" {
  defaults = {
    id  = "fsap-0123456789abcdef0"
    arn = "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0"
  }
}

mock_data "aws_ecs_cluster" {
  defaults = {
    arn  = "arn:aws:ecs:us-east-1:123456789012:cluster/cabal-mail"
    tags = { Environment = "stage" }
  }
}

mock_data "aws_iam_role" {
  defaults = {
    arn = "arn:aws:iam::123456789012:role/cabal-ecs-execution-role"
  }
}

mock_data "aws_ssm_parameter" {
  defaults = {
    value          = "sha-0123abcd"
    insecure_value = "sha-0123abcd"
  }
}
