locals {
  databases = { for item in var.databases : item.name => item }
}

resource "google_sql_database_instance" "main" {
  for_each            = local.databases
  name                = "${local.name}-${each.key}"
  region              = var.region
  database_version    = startswith(each.value.engine, "mysql") ? "MYSQL_${replace(coalesce(each.value.engine_version, "8.0"), ".", "_")}" : "POSTGRES_${split(".", coalesce(each.value.engine_version, "16"))[0]}"
  deletion_protection = var.environment_stage == "production"

  settings {
    # A unit of capacity is 2 GB of memory; a processor has between 0.9 and 6.5 GB beside it.
    tier              = "db-custom-${max(1, ceil(each.value.max_capacity / 2))}-${max(3840, ceil(each.value.max_capacity * 2) * 1024)}"
    edition           = "ENTERPRISE"
    availability_type = var.environment_stage == "production" ? "REGIONAL" : "ZONAL"

    ip_configuration {
      ipv4_enabled    = false
      private_network = local.network_id
      ssl_mode        = "ENCRYPTED_ONLY"
    }

    backup_configuration {
      enabled                        = true
      point_in_time_recovery_enabled = !startswith(each.value.engine, "mysql")
      binary_log_enabled             = startswith(each.value.engine, "mysql")

      backup_retention_settings {
        retained_backups = each.value.backup_retention_days
      }
    }

    dynamic "database_flags" {
      for_each = each.value.iam_auth ? [1] : []
      content {
        name  = startswith(each.value.engine, "mysql") ? "cloudsql_iam_authentication" : "cloudsql.iam_authentication"
        value = "on"
      }
    }
  }

  depends_on = [google_service_networking_connection.main]
}

resource "google_sql_database" "main" {
  for_each = local.databases
  name     = each.key
  instance = google_sql_database_instance.main[each.key].name
}

resource "random_password" "database" {
  for_each = local.databases
  length   = 32
  special  = false
}

resource "google_sql_user" "main" {
  for_each = local.databases
  name     = "quarterdeck"
  instance = google_sql_database_instance.main[each.key].name
  password = random_password.database[each.key].result
}

resource "google_redis_instance" "main" {
  for_each                = { for item in var.caches : item.name => item }
  name                    = "${local.name}-${each.key}"
  region                  = var.region
  tier                    = each.value.multi_az || each.value.num_cache_nodes > 1 ? "STANDARD_HA" : "BASIC"
  memory_size_gb          = try(tonumber(each.value.node_type), 1)
  authorized_network      = local.network_id
  connect_mode            = "PRIVATE_SERVICE_ACCESS"
  auth_enabled            = true
  transit_encryption_mode = "SERVER_AUTHENTICATION"

  depends_on = [google_service_networking_connection.main]
}

resource "google_firestore_database" "main" {
  for_each                          = { for item in var.nosql_tables : item.name => item }
  name                              = lower("${local.name}-${each.key}")
  location_id                       = each.value.table_type == "global" ? "nam5" : var.region
  type                              = "FIRESTORE_NATIVE"
  point_in_time_recovery_enablement = each.value.point_in_time_recovery ? "POINT_IN_TIME_RECOVERY_ENABLED" : "POINT_IN_TIME_RECOVERY_DISABLED"
  deletion_policy                   = "DELETE"
  delete_protection_state           = var.environment_stage == "production" ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
}
