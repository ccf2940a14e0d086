output "network_id" {
  value = local.network_id
}

output "cluster_name" {
  value = one(azurerm_kubernetes_cluster.main[*].name)
}

output "cluster_endpoint" {
  value = one([for item in azurerm_kubernetes_cluster.main : "https://${item.fqdn}"])
}

output "dns_name_servers" {
  value = one(azurerm_dns_zone.main[*].name_servers)
}

output "database_addresses" {
  value = merge(
    { for name, item in azurerm_postgresql_flexible_server.main : name => item.fqdn },
    { for name, item in azurerm_mysql_flexible_server.main : name => item.fqdn },
  )
}

output "database_passwords" {
  value     = { for name, item in random_password.database : name => item.result }
  sensitive = true
}

output "redis_primary_endpoint_address" {
  value = { for name, item in azurerm_redis_cache.main : name => item.hostname }
}

output "queue_names" {
  value = { for name, item in azurerm_servicebus_queue.main : name => item.id }
}

output "topic_names" {
  value = { for name, item in azurerm_servicebus_topic.main : name => item.id }
}

output "nosql_table_names" {
  value = { for name, item in azurerm_cosmosdb_sql_container.main : name => item.id }
}

output "vault_uri" {
  value = one(azurerm_key_vault.main[*].vault_uri)
}

output "repository_urls" {
  value = {
    for item in var.container_registries : item.name => "${azurerm_container_registry.main[0].login_server}/${item.name}"
  }
}

output "bucket_names" {
  value = { for name, item in azurerm_storage_account.main : name => item.name }
}
