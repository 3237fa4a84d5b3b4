output "definition" {
  description = "The container definition, as an object."
  value       = local.definition
}

output "json" {
  description = "A list of this one definition, as container_definitions of a task definition wants it."
  value       = jsonencode([local.definition])
}

output "posture" {
  description = "A digest of everything but the image. A task definition that ignores changes of its container definitions is replaced when this changes."
  value       = sha256(jsonencode({ for key, value in local.definition : key => value if key != "image" }))
}
