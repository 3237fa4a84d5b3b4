variable "sinkhole" {
  description = "Whether the sinkhole tier and its route exist here."
  type        = bool
  default     = false

  validation {
    condition     = !var.sinkhole || contains(["dev", "development", "stage", "staging", "test"], var.environment)
    error_message = "sinkhole can be true only where environment is dev, development, stage, staging or test; here it is \"${var.environment}\"."
  }
}

variable "environment" {
  description = "Name of the deployment. CI derives it from the branch: main is prod, stage is stage, all others are development."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*$", var.environment))
    error_message = "environment must be lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "quiesced" {
  description = "Whether the environment sleeps: services stay, with no task."
  type        = bool
  default     = false
}

variable "region" {
  description = "AWS region."
  type        = string
  default     = "us-east-1"
}

variable "cluster_name" {
  description = "ECS cluster of the mail tiers."
  type        = string
  default     = "cabal-mail"
}

variable "capacity_provider" {
  description = "Capacity provider that runs the tiers; null for the launch type EC2, where the cluster has none."
  type        = string
  default     = "cabal-ec2"
}

variable "execution_role_name" {
  description = "Role with which ECS pulls images, reads secrets and writes logs."
  type        = string
  default     = "cabal-ecs-execution-role"
}

variable "vpc_id" {
  description = "VPC of the mail tiers."
  type        = string
}

variable "cidr_block" {
  description = "IPv4 range of the VPC."
  type        = string
}

variable "private_subnets" {
  description = "Private subnets of the VPC."
  type        = list(string)
}

variable "namespace_id" {
  description = "Cloud Map namespace cabal.internal."
  type        = string
}

variable "image_tag_parameter" {
  description = "SSM parameter with the tag or digest of the deployed image; the image workflow writes it."
  type        = string
  default     = "/cabal/deployed_image_tag/sinkhole"
}

variable "exec" {
  description = "Whether ECS Exec works in the sinkhole's task."
  type        = bool
  default     = false
}

variable "settings" {
  description = "Further SINKHOLE_ variables of the program."
  type        = map(string)
  default     = {}
}

variable "leak_alarm" {
  description = "Whether to watch smtp-out's log for mail to sinkhole.test that went astray. Null follows the flag; true also watches where there is no sinkhole."
  type        = bool
  default     = null
}

variable "alarm_actions" {
  description = "ARNs that every alarm notifies."
  type        = list(string)
  default     = []
}

variable "smtp_out" {
  description = "The smtp-out tier, where this stack is to run it; null where another stack does and takes the route from the outputs. exec switches ECS Exec on, as the runbook needs it; the task role must allow ssmmessages then."
  type = object({
    image                = string
    health_check         = list(string)
    file_system_id       = string
    task_role_arn        = string
    security_group_ids   = list(string)
    environment          = optional(map(string), {})
    secrets              = optional(map(string), {})
    desired_count        = optional(number, 1)
    minimum_healthy      = optional(number, 100)
    maximum              = optional(number, 200)
    read_only_root       = optional(bool, true)
    memory_hard_mib      = optional(number, 512)
    memory_reserved_mib  = optional(number, 256)
    stop_timeout_seconds = optional(number, 120)
    exec                 = optional(bool, false)
    capabilities         = optional(list(string), ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID", "SYS_CHROOT"])
  })
  default = null
}
