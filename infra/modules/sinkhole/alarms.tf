# What the log says, as metrics, and the alarms on them. The event names are
# those of docs/log-events.md.

locals {
  # Event to metric and value. A source says that it fails once, when it begins;
  # whatever shows that it works makes it 0 again. A replaced task says "mode"
  # where its predecessor would have said "source_recovered".
  log_metrics = {
    source_failed    = { metric = "ModeSourceFailed", value = "1" }
    source_recovered = { metric = "ModeSourceFailed", value = "0" }
    mode             = { metric = "ModeSourceFailed", value = "0" }
    mode_invalid     = { metric = "ModeSourceFailed", value = "0" }
    worker_died      = { metric = "WorkersDied", value = "1" }
  }

  alarms = {
    mode-stale = {
      description = "The sinkhole cannot read its mode and serves the last one it knows."
      metric      = "ModeSourceFailed"
      # What was said last holds until something else is said. A minute with
      # both counts as recovered: single failures are no alarm.
      statistic = "Minimum"
      period    = 60
      threshold = 1
      missing   = "ignore"
    }
    workers-crash = {
      description = "Workers of the sinkhole die: each one took a session with it."
      metric      = "WorkersDied"
      statistic   = "Sum"
      period      = 300
      threshold   = 5
      missing     = "notBreaching"
    }
  }
}

resource "aws_cloudwatch_log_metric_filter" "this" {
  for_each = { for event, metric in local.log_metrics : event => metric if var.sinkhole }

  name           = "${local.name}-${each.key}"
  log_group_name = aws_cloudwatch_log_group.this[0].name
  pattern        = "{ $.event = \"${each.key}\" }"

  metric_transformation {
    namespace = "Cabalmail/Sinkhole"
    name      = each.value.metric
    value     = each.value.value
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = { for name, alarm in local.alarms : name => alarm if var.sinkhole }

  alarm_name        = "${local.name}-${each.key}"
  alarm_description = each.value.description

  namespace           = "Cabalmail/Sinkhole"
  metric_name         = each.value.metric
  statistic           = each.value.statistic
  period              = each.value.period
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = each.value.missing

  # A sleeping tier has nothing to tell.
  actions_enabled = !var.quiesced
  alarm_actions   = var.alarm_actions
  ok_actions      = var.alarm_actions
}
