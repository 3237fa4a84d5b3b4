output "environment" {
  description = "Variables to merge into the smtp-out container's environment: SINKHOLE_ENABLED when the flag is on, nothing when it is off."
  value       = local.environment
}

output "marker" {
  description = "Append this to the input of the terraform_data that replaces smtp-out's task definition. It changes with the flag, which ignore_changes on container_definitions would otherwise hide."
  value       = var.sinkhole ? "+sinkhole" : ""
}
