# What the log says, as metrics, and the alarms on them. The event names are
# those of docs/log-events.md.

locals {
  # Event to metric. A source that fails says so every minute while that lasts;
  # when it began and when it ended would not tell what holds now, where both
  # come within one minute.
  log_metrics = {
    source_failing = "ModeSourceFailing"
    worker_died    = "WorkersDied"
  }

  alarms = {
    mode-stale = {
      description = "The sinkhole cannot read its mode and serves the last one it knows."
      metric      = "ModeSourceFailing"
      period      = 60
      threshold   = 1
      # Two minutes of three: a line may slip into the next minute.
      evaluated = 3
      breaching = 2
    }
    workers-crash = {
      description = "Workers of the sinkhole die: each one took a session with it."
      metric      = "WorkersDied"
      period      = 300
      threshold   = 5
      evaluated   = 1
      breaching   = 1
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
    name      = each.value
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = { for name, alarm in local.alarms : name => alarm if var.sinkhole }

  alarm_name        = "${local.name}-${each.key}"
  alarm_description = each.value.description

  namespace           = "Cabalmail/Sinkhole"
  metric_name         = each.value.metric
  statistic           = "Sum"
  period              = each.value.period
  evaluation_periods  = each.value.evaluated
  datapoints_to_alarm = each.value.breaching
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"

  # A sleeping tier has nothing to tell.
  actions_enabled = !var.quiesced
  alarm_actions   = var.alarm_actions
  ok_actions      = var.alarm_actions
}
