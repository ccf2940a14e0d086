locals {
  subscriptions = merge([
    for topic in var.topics : {
      for at, item in topic.subscriptions : "${topic.name}-${at}" => merge(item, { topic = topic.name })
    }
  ]...)
}

resource "aws_sqs_queue" "main" {
  for_each                    = { for item in var.queues : item.name => item }
  name                        = "${local.name}-${each.key}${each.value.fifo ? ".fifo" : ""}"
  fifo_queue                  = each.value.fifo
  content_based_deduplication = each.value.fifo
  visibility_timeout_seconds  = each.value.visibility_timeout
  message_retention_seconds   = each.value.message_retention
  delay_seconds               = each.value.delay_seconds
  sqs_managed_sse_enabled     = true
}

resource "aws_sns_topic" "main" {
  for_each = { for item in var.topics : item.name => item }
  name     = "${local.name}-${each.key}"
}

resource "aws_sns_topic_subscription" "main" {
  for_each  = local.subscriptions
  topic_arn = aws_sns_topic.main[each.value.topic].arn
  protocol  = each.value.protocol
  endpoint  = each.value.endpoint
}
