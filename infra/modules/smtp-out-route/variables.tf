variable "sinkhole" {
  description = "Whether smtp-out routes sinkhole.test to the sinkhole."
  type        = bool
}

variable "environment" {
  description = "Name of the deployment; the route exists only in one of dev, development, stage, staging, test."
  type        = string

  validation {
    condition     = !var.sinkhole || contains(["dev", "development", "stage", "staging", "test"], var.environment)
    error_message = "The sinkhole route must never exist in prod: environment must be dev, development, stage, staging or test while sinkhole is true."
  }
}

variable "leak_alarm" {
  description = "Whether to watch smtp-out's log for mail to sinkhole.test that goes elsewhere. Needs sendmail's LogLevel 9: at 2 it logs no delivery."
  type        = bool
}

variable "log_group_name" {
  description = "Log group of smtp-out."
  type        = string
  default     = "/ecs/cabal-smtp-out"
}

variable "alarm_actions" {
  description = "ARNs to notify when the leak alarm rings, such as an SNS topic."
  type        = list(string)
  default     = []
}
