locals {
  databases    = { for item in var.databases : item.name => item }
  caches       = { for item in var.caches : item.name => item }
  nosql_tables = { for item in var.nosql_tables : item.name => item }
}

resource "aws_db_subnet_group" "main" {
  count      = length(var.databases) == 0 ? 0 : 1
  name       = local.name
  subnet_ids = local.private_subnets
}

resource "aws_security_group" "database" {
  for_each    = local.databases
  name        = "${local.name}-database-${each.key}"
  description = "Who may speak to the database ${each.key}"
  vpc_id      = local.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "database" {
  for_each = {
    for pair in setproduct(keys(local.databases), range(length(local.inside))) : "${pair[0]}-${pair[1]}" => pair
  }
  security_group_id = aws_security_group.database[each.value[0]].id
  cidr_ipv4         = local.inside[each.value[1]]
  from_port         = local.databases[each.value[0]].port
  to_port           = local.databases[each.value[0]].port
  ip_protocol       = "tcp"
}

resource "aws_rds_cluster" "main" {
  for_each                            = local.databases
  cluster_identifier                  = "${local.name}-${each.key}"
  engine                              = startswith(each.value.engine, "mysql") ? "aurora-mysql" : "aurora-postgresql"
  engine_version                      = each.value.engine_version
  database_name                       = replace(each.key, "/[^A-Za-z0-9]/", "")
  master_username                     = "quarterdeck"
  manage_master_user_password         = true
  port                                = each.value.port
  backup_retention_period             = each.value.backup_retention_days
  iam_database_authentication_enabled = each.value.iam_auth
  db_subnet_group_name                = aws_db_subnet_group.main[0].name
  vpc_security_group_ids              = [aws_security_group.database[each.key].id]
  storage_encrypted                   = true
  copy_tags_to_snapshot               = true
  deletion_protection                 = var.environment_stage == "production"
  skip_final_snapshot                 = var.environment_stage != "production"
  final_snapshot_identifier           = "${local.name}-${each.key}-final"

  serverlessv2_scaling_configuration {
    min_capacity = each.value.min_capacity
    max_capacity = each.value.max_capacity
  }
}

resource "aws_rds_cluster_instance" "main" {
  for_each             = local.databases
  identifier           = "${local.name}-${each.key}-1"
  cluster_identifier   = aws_rds_cluster.main[each.key].id
  engine               = aws_rds_cluster.main[each.key].engine
  engine_version       = aws_rds_cluster.main[each.key].engine_version
  instance_class       = "db.serverless"
  db_subnet_group_name = aws_db_subnet_group.main[0].name
}

resource "aws_elasticache_subnet_group" "main" {
  count      = length(var.caches) == 0 ? 0 : 1
  name       = local.name
  subnet_ids = local.private_subnets
}

resource "aws_security_group" "cache" {
  for_each    = local.caches
  name        = "${local.name}-cache-${each.key}"
  description = "Who may speak to the cache ${each.key}"
  vpc_id      = local.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "cache" {
  for_each = merge([
    for name, cache in local.caches : {
      for at, block in distinct(concat([local.vpc_cidr], cache.allowed_cidr_blocks)) :
      "${name}-${at}" => { cache = name, block = block }
    }
  ]...)
  security_group_id = aws_security_group.cache[each.value.cache].id
  cidr_ipv4         = each.value.block
  from_port         = 6379
  to_port           = 6379
  ip_protocol       = "tcp"
}

resource "aws_elasticache_replication_group" "main" {
  for_each                   = local.caches
  replication_group_id       = substr("${local.name}-${each.key}", 0, 40)
  description                = "Cache ${each.key} of ${local.name}"
  engine                     = each.value.engine
  node_type                  = coalesce(each.value.node_type, "cache.t4g.small")
  num_cache_clusters         = each.value.multi_az ? max(2, each.value.num_cache_nodes) : each.value.num_cache_nodes
  automatic_failover_enabled = each.value.multi_az
  multi_az_enabled           = each.value.multi_az
  subnet_group_name          = aws_elasticache_subnet_group.main[0].name
  security_group_ids         = [aws_security_group.cache[each.key].id]
  at_rest_encryption_enabled = true
  transit_encryption_enabled = true
}

resource "aws_dynamodb_table" "main" {
  for_each         = local.nosql_tables
  name             = "${local.name}-${each.key}"
  billing_mode     = upper(each.value.billing_mode) == "PROVISIONED" ? "PROVISIONED" : "PAY_PER_REQUEST"
  read_capacity    = upper(each.value.billing_mode) == "PROVISIONED" ? 5 : null
  write_capacity   = upper(each.value.billing_mode) == "PROVISIONED" ? 5 : null
  hash_key         = each.value.hash_key
  range_key        = each.value.range_key
  stream_enabled   = each.value.table_type == "global"
  stream_view_type = each.value.table_type == "global" ? "NEW_AND_OLD_IMAGES" : null

  attribute {
    name = each.value.hash_key
    type = each.value.hash_key_type
  }

  dynamic "attribute" {
    for_each = each.value.range_key == null ? [] : [each.value.range_key]
    content {
      name = attribute.value
      type = each.value.range_key_type
    }
  }

  dynamic "replica" {
    for_each = each.value.table_type == "global" ? toset(each.value.global_replicas) : []
    content {
      region_name = replica.value
    }
  }

  point_in_time_recovery {
    enabled = each.value.point_in_time_recovery
  }
}
