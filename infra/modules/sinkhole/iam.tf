# The task may read its mode. Nothing else.

resource "aws_iam_role" "task" {
  count = local.count

  name = "cabal-ecs-sinkhole-task-role"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "task" {
  count = local.count

  name = "cabal-ecs-sinkhole-task-access"
  role = aws_iam_role.task[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "ssm:GetParameter"
      Resource = aws_ssm_parameter.mode[0].arn
    }]
  })
}

resource "aws_iam_role_policy" "exec" {
  count = var.sinkhole && var.exec ? 1 : 0

  name = "cabal-ecs-sinkhole-exec"
  role = aws_iam_role.task[0].id

  # These actions know no resource.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      Action = [
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
      ]
      Resource = "*"
    }]
  })
}
