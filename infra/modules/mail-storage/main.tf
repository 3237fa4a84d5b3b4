# The queue outlives the tasks that fill it: a replacement finds every message
# of its predecessor. No posix_user: sendmail changes users by itself, and a
# forced one would hand every queue file to a single owner.

resource "aws_efs_access_point" "queue" {
  file_system_id = var.file_system_id

  root_directory {
    path = var.queue_path

    creation_info {
      owner_uid   = 0
      owner_gid   = var.queue_gid
      permissions = "0700"
    }
  }

  tags = { Name = trimprefix(var.queue_path, "/") }
}

locals {
  # Shaped as efs_volume_configuration of aws_ecs_task_definition, so that a
  # tier cannot forget the encryption.
  queue_volume = {
    name               = "queue"
    file_system_id     = var.file_system_id
    root_directory     = "/"
    transit_encryption = "ENABLED"
    access_point_id    = aws_efs_access_point.queue.id
  }

  # One tree for many users, each maildir its user's own: an access point
  # would add nothing but a way to squash their ownership.
  mailstore_volume = {
    name               = "mailstore"
    file_system_id     = var.file_system_id
    root_directory     = "/"
    transit_encryption = "ENABLED"
    access_point_id    = null
  }
}
