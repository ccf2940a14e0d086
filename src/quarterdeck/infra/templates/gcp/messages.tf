locals {
  # Only what is pushed over HTTP has a counterpart here.
  pushes = merge([
    for topic in var.topics : {
      for at, item in topic.subscriptions : "${topic.name}-${at}" => merge(item, { topic = topic.name })
      if startswith(item.protocol, "http")
    }
  ]...)
}

resource "google_pubsub_topic" "queue" {
  for_each                   = { for item in var.queues : item.name => item }
  name                       = "${local.name}-${each.key}"
  message_retention_duration = "${max(600, each.value.message_retention)}s"
}

resource "google_pubsub_subscription" "queue" {
  for_each                   = { for item in var.queues : item.name => item }
  name                       = "${local.name}-${each.key}"
  topic                      = google_pubsub_topic.queue[each.key].id
  ack_deadline_seconds       = min(600, max(10, each.value.visibility_timeout))
  message_retention_duration = "${min(2678400, max(600, each.value.message_retention))}s"
  enable_message_ordering    = each.value.fifo

  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_topic" "main" {
  for_each = { for item in var.topics : item.name => item }
  name     = "${local.name}-topic-${each.key}"
}

resource "google_pubsub_subscription" "push" {
  for_each = local.pushes
  name     = "${local.name}-${each.key}"
  topic    = google_pubsub_topic.main[each.value.topic].id

  push_config {
    push_endpoint = each.value.endpoint
  }
}
