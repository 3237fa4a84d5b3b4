variable "sinkhole" {
  description = "Whether the tier exists. While this is false the module creates nothing."
  type        = bool
  default     = false
}

variable "quiesced" {
  description = "Whether the environment sleeps: the service stays, with no task."
  type        = bool
  default     = false
}

variable "environment" {
  description = "Name of the deployment. The tier runs only in dev, development, stage, staging or test."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*$", var.environment))
    error_message = "environment must be lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "image" {
  description = "Image of the sinkhole, by tag or digest."
  type        = string
}

variable "region" {
  description = "AWS region of the tier."
  type        = string
}

variable "cluster_arn" {
  description = "ARN of the ECS cluster."
  type        = string

  validation {
    condition     = can(regex("^arn:[^:]+:ecs:[^:]+:[0-9]{12}:cluster/.+$", var.cluster_arn))
    error_message = "cluster_arn must be an ECS cluster's ARN (arn:aws:ecs:REGION:ACCOUNT:cluster/NAME)."
  }
}

variable "capacity_provider" {
  description = "Capacity provider that runs the task; null for the launch type EC2, where the cluster has none."
  type        = string
  default     = "cabal-ec2"
}

variable "execution_role_arn" {
  description = "Role with which ECS pulls the image and writes the log."
  type        = string
}

variable "vpc_id" {
  description = "VPC of the tier."
  type        = string
}

variable "cidr_block" {
  description = "IPv4 range of the VPC, from which port 25 is reached."
  type        = string

  validation {
    condition     = can(cidrnetmask(var.cidr_block)) && !endswith(var.cidr_block, "/0")
    error_message = "cidr_block must be the VPC's own IPv4 range, such as 10.0.0.0/16; never the whole internet."
  }
}

variable "private_subnets" {
  description = "Subnets in which the task runs. They need a way to SSM, ECR and CloudWatch (NAT or endpoints)."
  type        = list(string)

  validation {
    condition     = length(var.private_subnets) > 0
    error_message = "private_subnets must name at least one subnet."
  }
}

variable "namespace_id" {
  description = "Cloud Map namespace (cabal.internal) in which the service is registered."
  type        = string
}

variable "server_name" {
  description = "Name with which the sinkhole greets. Never smtp-out's own: sendmail would see a loop and bounce."
  type        = string
  default     = "sinkhole.cabal.internal"
}

variable "mode_parameter" {
  description = "SSM parameter that holds the mode."
  type        = string
  default     = "/cabal/sinkhole_mode"

  validation {
    condition     = can(regex("^(/[A-Za-z0-9_.-]+)+$", var.mode_parameter))
    error_message = "mode_parameter must be a full name that begins with a slash, such as /cabal/sinkhole_mode."
  }
}

variable "settings" {
  description = "Further SINKHOLE_ variables of the program, such as SINKHOLE_CACHE_TTL."
  type        = map(string)
  default     = {}

  validation {
    condition = alltrue([
      for name in keys(var.settings) : startswith(name, "SINKHOLE_") && !contains(
        ["SINKHOLE_ENVIRONMENT", "SINKHOLE_MODE_PARAM", "SINKHOLE_MODE_SOURCE", "SINKHOLE_SERVER_NAME", "SINKHOLE_BIND_PORT"],
      name)
    ])
    error_message = "settings accepts only SINKHOLE_ variables that this module does not set itself."
  }
}

variable "exec" {
  description = "Whether ECS Exec works in the task. Off, the task role can do nothing but read the mode."
  type        = bool
  default     = false
}

variable "alarm_actions" {
  description = "ARNs to notify when an alarm rings, such as an SNS topic."
  type        = list(string)
  default     = []
}
