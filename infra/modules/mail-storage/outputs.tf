output "queue_volume" {
  description = "The queue as a volume: name, file_system_id, root_directory, transit_encryption, access_point_id."
  value       = local.queue_volume
}

output "mailstore_volume" {
  description = "The mailstore as a volume, in the same form; access_point_id is null."
  value       = local.mailstore_volume
}

output "queue_access_point_arn" {
  description = "ARN of the queue's access point."
  value       = aws_efs_access_point.queue.arn
}
