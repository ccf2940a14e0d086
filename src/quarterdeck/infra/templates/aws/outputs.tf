output "network_id" {
  value = local.vpc_id
}

output "cluster_name" {
  value = one(aws_eks_cluster.main[*].name)
}

output "cluster_endpoint" {
  value = one(aws_eks_cluster.main[*].endpoint)
}

output "eks_cluster_arn" {
  value = one(aws_eks_cluster.main[*].arn)
}

output "dns_zone_id" {
  value = local.dns_zone_id
}

output "dns_name_servers" {
  value = one(aws_route53_zone.main[*].name_servers)
}

output "rds_cluster_endpoint" {
  value = { for name, item in aws_rds_cluster.main : name => item.endpoint }
}

output "rds_cluster_reader_endpoint" {
  value = { for name, item in aws_rds_cluster.main : name => item.reader_endpoint }
}

output "rds_cluster_identifier" {
  value = { for name, item in aws_rds_cluster.main : name => item.cluster_identifier }
}

output "rds_cluster_arn" {
  value = { for name, item in aws_rds_cluster.main : name => item.arn }
}

output "rds_cluster_credentials_arn" {
  value = { for name, item in aws_rds_cluster.main : name => item.master_user_secret[0].secret_arn }
}

output "redis_primary_endpoint_address" {
  value = { for name, item in aws_elasticache_replication_group.main : name => item.primary_endpoint_address }
}

output "redis_reader_endpoint_address" {
  value = { for name, item in aws_elasticache_replication_group.main : name => item.reader_endpoint_address }
}

output "queue_urls" {
  value = { for name, item in aws_sqs_queue.main : name => item.url }
}

output "topic_arns" {
  value = { for name, item in aws_sns_topic.main : name => item.arn }
}

output "nosql_table_arns" {
  value = { for name, item in aws_dynamodb_table.main : name => item.arn }
}

output "vault_arns" {
  value = { for name, item in aws_secretsmanager_secret.main : name => item.arn }
}

output "repository_urls" {
  value = { for name, item in aws_ecr_repository.main : name => item.repository_url }
}

output "bucket_names" {
  value = { for name, item in aws_s3_bucket.main : name => item.bucket }
}
