resource "azurerm_servicebus_namespace" "main" {
  count               = length(var.queues) + length(var.topics) == 0 ? 0 : 1
  name                = "${lower(local.name)}-${local.unique}"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  sku                 = "Standard"
  minimum_tls_version = "1.2"
  tags                = local.tags
}

resource "azurerm_servicebus_queue" "main" {
  for_each            = { for item in var.queues : item.name => item }
  name                = each.key
  namespace_id        = azurerm_servicebus_namespace.main[0].id
  lock_duration       = "PT${min(300, max(5, each.value.visibility_timeout))}S"
  default_message_ttl = "PT${each.value.message_retention}S"
  # What shall stay in order is sent in sessions.
  requires_session             = each.value.fifo
  requires_duplicate_detection = each.value.fifo
}

resource "azurerm_servicebus_topic" "main" {
  for_each     = { for item in var.topics : item.name => item }
  name         = each.key
  namespace_id = azurerm_servicebus_namespace.main[0].id
}

resource "azurerm_servicebus_subscription" "main" {
  for_each = merge([
    for topic in var.topics : {
      for at, item in topic.subscriptions : "${topic.name}-${at}" => topic.name
    }
  ]...)
  name               = each.key
  topic_id           = azurerm_servicebus_topic.main[each.value].id
  max_delivery_count = 10
}
