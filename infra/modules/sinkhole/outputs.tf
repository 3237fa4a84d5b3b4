output "container" {
  description = "The container definition, as an object; null when the tier is off."
  value       = one(module.container[*].definition)
}

output "task_definition_arn" {
  description = "ARN of the newest revision; null when the tier is off."
  value       = one(aws_ecs_task_definition.this[*].arn)
}

output "service_name" {
  description = "Name of the ECS service; null when the tier is off."
  value       = one(aws_ecs_service.this[*].name)
}

output "mode_parameter_arn" {
  description = "ARN of the parameter that holds the mode; null when the tier is off."
  value       = one(aws_ssm_parameter.mode[*].arn)
}

output "security_group_id" {
  description = "Security group of the task; null when the tier is off."
  value       = one(aws_security_group.this[*].id)
}
