# The sinkhole beside a Cabalmail-like stack: the repository always, the rest
# where the flag is on.

data "aws_ecs_cluster" "mail" {
  count        = local.tiers ? 1 : 0
  cluster_name = var.cluster_name
}

data "aws_iam_role" "execution" {
  count = local.tiers ? 1 : 0
  name  = var.execution_role_name
}

data "aws_ssm_parameter" "image_tag" {
  count = var.sinkhole ? 1 : 0
  name  = var.image_tag_parameter

  lifecycle {
    postcondition {
      condition     = can(regex("^(sha-[0-9a-f]{8,40}|sha256:[0-9a-f]{64})$", self.value))
      error_message = "${var.image_tag_parameter} must hold a deployed image (sha-<commit> or sha256:<digest>). Run the image workflow first."
    }
  }
}

locals {
  tiers = var.sinkhole || var.smtp_out != null

  cluster_arn        = one(data.aws_ecs_cluster.mail[*].arn)
  execution_role_arn = one(data.aws_iam_role.execution[*].arn)

  # A digest is joined by @, a tag by a colon.
  image_tag = one(data.aws_ssm_parameter.image_tag[*].insecure_value)
  image = (local.image_tag == null ? "" :
    join(startswith(local.image_tag, "sha256:") ? "@" : ":", [module.ecr.repository_url, local.image_tag])
  )
}

module "ecr" {
  source = "./modules/ecr"
}

module "sinkhole" {
  source = "./modules/sinkhole"
  count  = var.sinkhole ? 1 : 0

  sinkhole           = var.sinkhole
  quiesced           = var.quiesced
  environment        = var.environment
  image              = local.image
  region             = var.region
  cluster_arn        = local.cluster_arn
  capacity_provider  = var.capacity_provider
  execution_role_arn = local.execution_role_arn
  vpc_id             = var.vpc_id
  cidr_block         = var.cidr_block
  private_subnets    = var.private_subnets
  namespace_id       = var.namespace_id
  exec               = var.exec
  settings           = var.settings
  alarm_actions      = var.alarm_actions
}

module "smtp_out_route" {
  source = "./modules/smtp-out-route"

  sinkhole       = var.sinkhole
  environment    = var.environment
  leak_alarm     = coalesce(var.leak_alarm, var.sinkhole)
  log_group_name = local.smtp_out_log_group
  alarm_actions  = var.alarm_actions
}
