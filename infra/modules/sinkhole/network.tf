# Who reaches the tier, whom it reaches, and the name that it has.

resource "aws_security_group" "this" {
  count = local.count

  name        = "cabal-ecs-sinkhole-sg"
  description = "SMTP from the VPC; HTTPS to AWS"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "smtp" {
  count = local.count

  security_group_id = aws_security_group.this[0].id
  description       = "SMTP from the VPC"
  cidr_ipv4         = var.cidr_block
  ip_protocol       = "tcp"
  from_port         = 25
  to_port           = 25
}

# The VPC's resolver and the credentials endpoint are not subject to rules.
resource "aws_vpc_security_group_egress_rule" "https" {
  count = local.count

  security_group_id = aws_security_group.this[0].id
  description       = "SSM, ECR and CloudWatch"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_service_discovery_service" "this" {
  count = local.count

  name = "sinkhole"

  dns_config {
    namespace_id   = var.namespace_id
    routing_policy = "MULTIVALUE"

    dns_records {
      type = "A"
      ttl  = 10
    }
  }

  health_check_custom_config {
    failure_threshold = 1
  }

  lifecycle {
    # AWS fixes the threshold at 1 and reports what it likes.
    ignore_changes = [health_check_custom_config]
  }
}

# Cloud Map refuses to delete a service that has instances, and a task whose
# host died leaves one behind. So: drain before, restore and clean up after.
resource "terraform_data" "sinkhole_cloud_map_lifecycle" {
  count = local.count

  triggers_replace = [aws_service_discovery_service.this[0].id, var.quiesced]

  input = {
    script = "${path.module}/cloud-map.sh"
    variables = {
      AWS_REGION = var.region
      CLUSTER    = local.cluster_name
      SERVICE    = aws_ecs_service.this[0].name
      REGISTRY   = aws_service_discovery_service.this[0].id
      DESIRED    = tostring(local.desired)
    }
  }

  provisioner "local-exec" {
    command     = "sh '${self.input.script}' restore"
    environment = self.input.variables
  }

  provisioner "local-exec" {
    when        = destroy
    command     = "sh '${self.input.script}' drain"
    environment = self.input.variables
  }
}
