resource "azurerm_dns_zone" "main" {
  count               = var.dns.enabled && var.dns.zone_id == null ? 1 : 0
  name                = var.dns.domain_name
  resource_group_name = azurerm_resource_group.main.name
  tags                = local.tags
}

resource "azurerm_web_application_firewall_policy" "main" {
  count               = var.dns.enabled && var.dns.waf_enabled ? 1 : 0
  name                = replace(local.name, "-", "")
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  tags                = local.tags

  policy_settings {
    enabled = true
    mode    = "Prevention"
  }

  managed_rules {
    managed_rule_set {
      type    = "OWASP"
      version = "3.2"
    }
  }
}
