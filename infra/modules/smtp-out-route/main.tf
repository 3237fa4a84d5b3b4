# What the smtp-out task needs to route sinkhole.test to the sinkhole.

locals {
  # Absent rather than "false": a prod task shall not even mention the sinkhole.
  environment = var.sinkhole ? { SINKHOLE_ENABLED = "true" } : {}

  # While the route exists, mail to sinkhole.test that another host took is a
  # leak; mailer=relay is the submission program handing it to sendmail itself.
  # Without a route any line about it is one: someone sends such mail.
  leak_pattern = (var.sinkhole
    ? "\"@sinkhole.test\" \"stat=Sent\" -\"relay=sinkhole.cabal.internal\" -\"mailer=relay\""
  : "\"@sinkhole.test\"")
}

resource "aws_cloudwatch_log_metric_filter" "leak" {
  count = var.leak_alarm ? 1 : 0

  name           = "cabal-smtp-out-sinkhole-leak"
  log_group_name = var.log_group_name
  pattern        = local.leak_pattern

  metric_transformation {
    namespace = "Cabalmail/Sinkhole"
    name      = "SinkholeLeak"
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "leak" {
  count = var.leak_alarm ? 1 : 0

  alarm_name        = "cabal-smtp-out-sinkhole-leak"
  alarm_description = "Mail to sinkhole.test went somewhere else than to the sinkhole, or is sent where there is none."

  namespace           = "Cabalmail/Sinkhole"
  metric_name         = "SinkholeLeak"
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions

  depends_on = [aws_cloudwatch_log_metric_filter.leak]
}
