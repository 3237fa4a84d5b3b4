output "repository_url" {
  description = "Where the image workflow pushes."
  value       = module.ecr.repository_url
}

output "container" {
  description = "The sinkhole's container definition; null when the tier is off."
  value       = one(module.sinkhole[*].container)
}

output "task_definition_arn" {
  description = "Newest revision of the sinkhole; null when the tier is off."
  value       = one(module.sinkhole[*].task_definition_arn)
}

output "mode_parameter_arn" {
  description = "ARN of the mode parameter; null when the tier is off."
  value       = one(module.sinkhole[*].mode_parameter_arn)
}

output "smtp_out_environment" {
  description = "What an smtp-out task of another stack adds to its environment."
  value       = module.smtp_out_route.environment
}

output "smtp_out_marker" {
  description = "What that stack appends to the input of its revision marker."
  value       = module.smtp_out_route.marker
}
