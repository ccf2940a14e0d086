resource "random_password" "database" {
  for_each = { for item in var.databases : item.name => item }
  length   = 32
  special  = false
}

resource "azurerm_private_dns_zone" "postgres" {
  count               = length(local.postgres) == 0 ? 0 : 1
  name                = "${local.short}.private.postgres.database.azure.com"
  resource_group_name = azurerm_resource_group.main.name
  tags                = local.tags
}

resource "azurerm_private_dns_zone_virtual_network_link" "postgres" {
  count                 = length(local.postgres) == 0 ? 0 : 1
  name                  = local.name
  resource_group_name   = azurerm_resource_group.main.name
  private_dns_zone_name = azurerm_private_dns_zone.postgres[0].name
  virtual_network_id    = local.network_id
}

resource "azurerm_postgresql_flexible_server" "main" {
  for_each                      = local.postgres
  name                          = "${lower(local.name)}-${each.key}-${local.unique}"
  resource_group_name           = azurerm_resource_group.main.name
  location                      = azurerm_resource_group.main.location
  version                       = split(".", coalesce(each.value.engine_version, "16"))[0]
  delegated_subnet_id           = azurerm_subnet.postgres[0].id
  private_dns_zone_id           = azurerm_private_dns_zone.postgres[0].id
  public_network_access_enabled = false
  administrator_login           = "quarterdeck"
  administrator_password        = random_password.database[each.key].result
  sku_name                      = each.value.max_capacity <= 2 ? "B_Standard_B2s" : each.value.max_capacity <= 4 ? "GP_Standard_D2ds_v5" : each.value.max_capacity <= 8 ? "GP_Standard_D4ds_v5" : "GP_Standard_D8ds_v5"
  storage_mb                    = 32768
  backup_retention_days         = max(7, each.value.backup_retention_days)
  tags                          = local.tags

  authentication {
    password_auth_enabled         = true
    active_directory_auth_enabled = each.value.iam_auth
    tenant_id                     = each.value.iam_auth ? data.azurerm_client_config.current.tenant_id : null
  }

  lifecycle {
    ignore_changes = [zone]
  }

  depends_on = [azurerm_private_dns_zone_virtual_network_link.postgres]
}

resource "azurerm_postgresql_flexible_server_database" "main" {
  for_each  = local.postgres
  name      = each.key
  server_id = azurerm_postgresql_flexible_server.main[each.key].id
}

resource "azurerm_private_dns_zone" "mysql" {
  count               = length(local.mysql) == 0 ? 0 : 1
  name                = "${local.short}.private.mysql.database.azure.com"
  resource_group_name = azurerm_resource_group.main.name
  tags                = local.tags
}

resource "azurerm_private_dns_zone_virtual_network_link" "mysql" {
  count                 = length(local.mysql) == 0 ? 0 : 1
  name                  = local.name
  resource_group_name   = azurerm_resource_group.main.name
  private_dns_zone_name = azurerm_private_dns_zone.mysql[0].name
  virtual_network_id    = local.network_id
}

resource "azurerm_mysql_flexible_server" "main" {
  for_each               = local.mysql
  name                   = "${lower(local.name)}-${each.key}-${local.unique}"
  resource_group_name    = azurerm_resource_group.main.name
  location               = azurerm_resource_group.main.location
  version                = coalesce(each.value.engine_version, "8.0.21")
  delegated_subnet_id    = azurerm_subnet.mysql[0].id
  private_dns_zone_id    = azurerm_private_dns_zone.mysql[0].id
  administrator_login    = "quarterdeck"
  administrator_password = random_password.database[each.key].result
  sku_name               = each.value.max_capacity <= 2 ? "B_Standard_B2s" : each.value.max_capacity <= 4 ? "GP_Standard_D2ds_v4" : "GP_Standard_D4ds_v4"
  backup_retention_days  = each.value.backup_retention_days
  tags                   = local.tags

  lifecycle {
    ignore_changes = [zone]
  }

  depends_on = [azurerm_private_dns_zone_virtual_network_link.mysql]
}

resource "azurerm_mysql_flexible_database" "main" {
  for_each            = local.mysql
  name                = each.key
  resource_group_name = azurerm_resource_group.main.name
  server_name         = azurerm_mysql_flexible_server.main[each.key].name
  charset             = "utf8mb4"
  collation           = "utf8mb4_0900_ai_ci"
}

resource "azurerm_redis_cache" "main" {
  for_each             = { for item in var.caches : item.name => item }
  name                 = "${lower(local.name)}-${each.key}-${local.unique}"
  resource_group_name  = azurerm_resource_group.main.name
  location             = azurerm_resource_group.main.location
  capacity             = try(tonumber(each.value.node_type), 1)
  family               = "C"
  sku_name             = each.value.multi_az || each.value.num_cache_nodes > 1 ? "Standard" : "Basic"
  minimum_tls_version  = "1.2"
  non_ssl_port_enabled = false
  tags                 = local.tags
}

resource "azurerm_cosmosdb_account" "main" {
  count               = length(var.nosql_tables) == 0 ? 0 : 1
  name                = "${lower(local.name)}-${local.unique}"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  offer_type          = "Standard"
  kind                = "GlobalDocumentDB"
  tags                = local.tags

  consistency_policy {
    consistency_level = "Session"
  }

  geo_location {
    location          = azurerm_resource_group.main.location
    failover_priority = 0
  }

  dynamic "geo_location" {
    for_each = distinct(flatten([for item in var.nosql_tables : item.global_replicas if item.table_type == "global"]))
    content {
      location          = geo_location.value
      failover_priority = geo_location.key + 1
    }
  }

  dynamic "backup" {
    for_each = anytrue(var.nosql_tables[*].point_in_time_recovery) ? [1] : []
    content {
      type = "Continuous"
      tier = "Continuous7Days"
    }
  }
}

resource "azurerm_cosmosdb_sql_database" "main" {
  count               = length(var.nosql_tables) == 0 ? 0 : 1
  name                = local.name
  resource_group_name = azurerm_resource_group.main.name
  account_name        = azurerm_cosmosdb_account.main[0].name
}

resource "azurerm_cosmosdb_sql_container" "main" {
  for_each            = { for item in var.nosql_tables : item.name => item }
  name                = each.key
  resource_group_name = azurerm_resource_group.main.name
  account_name        = azurerm_cosmosdb_account.main[0].name
  database_name       = azurerm_cosmosdb_sql_database.main[0].name
  partition_key_paths = ["/${each.value.hash_key}"]
}
