variable "name" {
  description = "Name of the container inside its task."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,255}$", var.name))
    error_message = "name must be 1 to 255 letters, digits, hyphens or underscores."
  }
}

variable "image" {
  description = "Image with its tag or digest."
  type        = string

  validation {
    condition     = can(regex("^[^:@]+(:[0-9]+/[^:@]+)?(:[A-Za-z0-9_][A-Za-z0-9_.-]*|@sha256:[0-9a-f]{64})$", var.image)) && !endswith(var.image, ":latest")
    error_message = "image must carry a tag other than latest, or a digest: repository:tag or repository@sha256:<64 hex digits>."
  }
}

variable "user" {
  description = "User of the container, as uid:gid. 0:0 is for tiers whose daemons drop privileges by themselves."
  type        = string

  validation {
    condition     = can(regex("^[0-9]+:[0-9]+$", var.user))
    error_message = "user must be numeric, uid:gid (a name would be looked up in the image's own passwd file)."
  }
}

variable "memory" {
  description = "Hard and reserved memory, in MiB."
  type = object({
    hard     = number
    reserved = number
  })

  validation {
    condition     = var.memory.reserved >= 6 && var.memory.reserved <= var.memory.hard
    error_message = "memory needs 6 <= reserved <= hard (MiB); 6 is the least that ECS accepts."
  }
}

variable "environment" {
  description = "Environment variables, by name."
  type        = map(string)
  default     = {}
}

variable "secrets" {
  description = "Environment variables that ECS reads from SSM or Secrets Manager: name to ARN."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for arn in values(var.secrets) : startswith(arn, "arn:")])
    error_message = "secrets must map each name to an ARN (arn:...)."
  }
}

variable "ports" {
  description = "TCP ports that the container listens on."
  type        = list(number)
  default     = []

  validation {
    condition     = alltrue([for port in var.ports : port >= 1 && port <= 65535 && floor(port) == port])
    error_message = "ports must be whole numbers from 1 to 65535."
  }
}

variable "capabilities" {
  description = "Capabilities given back after ALL were dropped. A non-root user gains nothing from them under no-new-privileges."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.capabilities : can(regex("^[A-Z_]+$", name)) && !contains(["ALL", "SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE", "SYS_MODULE"], name)])
    error_message = "capabilities must be upper-case names without CAP_; ALL, SYS_ADMIN, NET_ADMIN, SYS_PTRACE and SYS_MODULE are refused."
  }
}

variable "read_only_root" {
  description = "Whether the root file system is read-only."
  type        = bool
  default     = true
}

variable "tmpfs" {
  description = "Memory file systems: path to size in MiB and whether programs may be executed from it. All are rw, nosuid and nodev."
  type = map(object({
    size = number
    exec = optional(bool, false)
  }))
  default = {}

  validation {
    condition     = alltrue([for path, mount in var.tmpfs : startswith(path, "/") && mount.size >= 1 && floor(mount.size) == mount.size])
    error_message = "tmpfs needs absolute paths and whole sizes of 1 MiB or more (ECS refuses 0)."
  }
}

variable "mounts" {
  description = "Volumes of the task to mount: path to volume name."
  type = map(object({
    volume    = string
    read_only = optional(bool, false)
  }))
  default = {}

  validation {
    condition     = alltrue([for path in keys(var.mounts) : startswith(path, "/")])
    error_message = "mounts needs absolute paths."
  }
}

variable "sysctls" {
  description = "Kernel settings of the task's network namespace, by name (systemControls)."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.sysctls) : startswith(name, "net.")])
    error_message = "sysctls must begin with net.: awsvpc tasks can set no others."
  }
}

variable "health_check" {
  description = "Health check: an argument vector (run without a shell) and its timing in seconds. ECS ignores the image's own."
  type = object({
    command      = list(string)
    interval     = optional(number, 30)
    timeout      = optional(number, 5)
    retries      = optional(number, 3)
    start_period = optional(number, 15)
  })

  validation {
    condition     = length(var.health_check.command) > 0 && startswith(var.health_check.command[0], "/")
    error_message = "health_check.command must begin with an absolute path; it runs without a shell."
  }

  validation {
    condition = (
      var.health_check.interval >= 5 && var.health_check.interval <= 300 &&
      var.health_check.timeout >= 2 && var.health_check.timeout <= 60 &&
      var.health_check.retries >= 1 && var.health_check.retries <= 10 &&
      var.health_check.start_period >= 0 && var.health_check.start_period <= 300
    )
    error_message = "health_check accepts interval 5 to 300, timeout 2 to 60, retries 1 to 10, start_period 0 to 300."
  }
}

variable "log" {
  description = "CloudWatch log group, its region, the stream prefix, and whether writing may block (false drops lines when CloudWatch is slow, and breaks those over 16 KiB)."
  type = object({
    group    = string
    region   = string
    prefix   = string
    blocking = optional(bool, true)
  })
}

variable "stop_timeout" {
  description = "Seconds between SIGTERM and SIGKILL."
  type        = number
  default     = 30

  validation {
    condition     = var.stop_timeout >= 2 && var.stop_timeout <= 120
    error_message = "stop_timeout must be from 2 to 120 seconds."
  }
}

variable "exec" {
  description = "Whether ECS Exec is to work: adds the writable mounts that its agent needs under a read-only root."
  type        = bool
  default     = false
}
