variable "file_system_id" {
  description = "EFS file system that holds the queue and the mailstore."
  type        = string

  validation {
    condition     = can(regex("^fs-[0-9a-f]+$", var.file_system_id))
    error_message = "file_system_id must look like fs-0123456789abcdef0."
  }
}

variable "queue_path" {
  description = "Directory of the mail queue on the file system; made on first use."
  type        = string
  default     = "/smtp-queue"

  validation {
    condition     = can(regex("^(/[a-z0-9-]+)+$", var.queue_path))
    error_message = "queue_path must be an absolute path other than /: the mailstore is there."
  }
}

variable "queue_gid" {
  description = "Group of the queue directory: 12 is mail."
  type        = number
  default     = 12
}
