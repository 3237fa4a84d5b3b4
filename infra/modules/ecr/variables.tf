variable "name" {
  description = "Name of the repository."
  type        = string
  default     = "cabal-sinkhole"

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9._/-]{1,255}$", var.name))
    error_message = "name must be 2 to 256 lower-case letters, digits, dots, hyphens, underscores or slashes."
  }
}

variable "keep_images" {
  description = "How many tagged images to keep; older ones expire."
  type        = number
  default     = 30

  validation {
    condition     = var.keep_images >= 5 && floor(var.keep_images) == var.keep_images
    error_message = "keep_images must be a whole number of 5 or more, so that a rollback finds its image."
  }
}
