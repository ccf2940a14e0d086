locals {
  secrets         = { for item in var.secrets : item.name => item }
  storage_buckets = { for item in var.storage_buckets : item.name => item }
}

resource "random_password" "secret" {
  for_each = { for name, item in local.secrets : name => item if item.generate }
  length   = each.value.length
  special  = each.value.special_chars
}

resource "azurerm_key_vault" "main" {
  count                      = length(var.secrets) == 0 ? 0 : 1
  name                       = "${local.short}-${local.unique}"
  resource_group_name        = azurerm_resource_group.main.name
  location                   = azurerm_resource_group.main.location
  tenant_id                  = data.azurerm_client_config.current.tenant_id
  sku_name                   = "standard"
  rbac_authorization_enabled = true
  purge_protection_enabled   = var.environment_stage == "production"
  tags                       = local.tags
}

resource "azurerm_role_assignment" "vault" {
  count                = length(var.secrets) == 0 ? 0 : 1
  scope                = azurerm_key_vault.main[0].id
  role_definition_name = "Key Vault Secrets Officer"
  principal_id         = data.azurerm_client_config.current.object_id
}

resource "azurerm_key_vault_secret" "main" {
  for_each     = random_password.secret
  name         = replace(each.key, "/[^A-Za-z0-9-]/", "-")
  value        = each.value.result
  key_vault_id = azurerm_key_vault.main[0].id

  depends_on = [azurerm_role_assignment.vault]
}

resource "azurerm_container_registry" "main" {
  # One registry holds all repositories; they are made when images are pushed.
  count               = length(var.container_registries) == 0 ? 0 : 1
  name                = "${local.short}${local.unique}"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  sku                 = "Standard"
  admin_enabled       = false
  tags                = local.tags
}

resource "azurerm_storage_account" "main" {
  for_each                        = local.storage_buckets
  name                            = substr("${replace(lower(each.key), "/[^a-z0-9]/", "")}${local.unique}${local.short}", 0, 24)
  resource_group_name             = azurerm_resource_group.main.name
  location                        = azurerm_resource_group.main.location
  account_tier                    = "Standard"
  account_replication_type        = var.environment_stage == "production" ? "ZRS" : "LRS"
  min_tls_version                 = "TLS1_2"
  allow_nested_items_to_be_public = each.value.public_access
  tags                            = local.tags

  blob_properties {
    versioning_enabled = each.value.versioning

    dynamic "cors_rule" {
      for_each = length(each.value.cors_origins) == 0 ? [] : [1]
      content {
        allowed_origins    = each.value.cors_origins
        allowed_methods    = ["GET", "HEAD", "PUT", "POST"]
        allowed_headers    = ["*"]
        exposed_headers    = ["*"]
        max_age_in_seconds = 3600
      }
    }
  }
}

resource "azurerm_storage_container" "main" {
  for_each              = local.storage_buckets
  name                  = lower(each.key)
  storage_account_id    = azurerm_storage_account.main[each.key].id
  container_access_type = each.value.public_access ? "blob" : "private"
}
