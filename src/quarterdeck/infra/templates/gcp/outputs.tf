output "network_id" {
  value = local.network_id
}

output "cluster_name" {
  value = one(google_container_cluster.main[*].name)
}

output "cluster_endpoint" {
  value = one([for item in google_container_cluster.main : "https://${item.endpoint}"])
}

output "dns_name_servers" {
  value = one(google_dns_managed_zone.main[*].name_servers)
}

output "database_addresses" {
  value = { for name, item in google_sql_database_instance.main : name => item.private_ip_address }
}

output "database_passwords" {
  value     = { for name, item in random_password.database : name => item.result }
  sensitive = true
}

output "redis_primary_endpoint_address" {
  value = { for name, item in google_redis_instance.main : name => item.host }
}

output "queue_names" {
  value = { for name, item in google_pubsub_subscription.queue : name => item.id }
}

output "topic_names" {
  value = { for name, item in google_pubsub_topic.main : name => item.id }
}

output "nosql_table_names" {
  value = { for name, item in google_firestore_database.main : name => item.id }
}

output "vault_names" {
  value = { for name, item in google_secret_manager_secret.main : name => item.id }
}

output "repository_urls" {
  value = {
    for name, item in google_artifact_registry_repository.main :
    name => "${item.location}-docker.pkg.dev/${item.project}/${item.repository_id}"
  }
}

output "bucket_names" {
  value = { for name, item in google_storage_bucket.main : name => item.name }
}
