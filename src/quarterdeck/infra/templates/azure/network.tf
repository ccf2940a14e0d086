locals {
  # An existing network is named by its resource id.
  network_id = var.network.provision_network ? azurerm_virtual_network.main[0].id : var.network.network_id
  network = var.network.provision_network ? {
    group = azurerm_resource_group.main.name
    name  = azurerm_virtual_network.main[0].name
    } : {
    group = split("/", var.network.network_id)[4]
    name  = split("/", var.network.network_id)[8]
  }
  inside = distinct(concat([var.network.cidr_block], var.network.allowed_cidr_blocks))
  postgres = {
    for item in var.databases : item.name => item if !startswith(item.engine, "mysql")
  }
  mysql = {
    for item in var.databases : item.name => item if startswith(item.engine, "mysql")
  }
}

resource "azurerm_virtual_network" "main" {
  count               = var.network.provision_network ? 1 : 0
  name                = local.name
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  address_space       = [var.network.cidr_block]
  tags                = local.tags
}

resource "azurerm_subnet" "main" {
  name                 = "${local.name}-main"
  resource_group_name  = local.network.group
  virtual_network_name = local.network.name
  address_prefixes     = [cidrsubnet(var.network.cidr_block, 2, 0)]
}

resource "azurerm_subnet" "postgres" {
  count                = length(local.postgres) == 0 ? 0 : 1
  name                 = "${local.name}-postgres"
  resource_group_name  = local.network.group
  virtual_network_name = local.network.name
  address_prefixes     = [cidrsubnet(var.network.cidr_block, 8, 128)]

  delegation {
    name = "servers"

    service_delegation {
      name    = "Microsoft.DBforPostgreSQL/flexibleServers"
      actions = ["Microsoft.Network/virtualNetworks/subnets/join/action"]
    }
  }
}

resource "azurerm_subnet" "mysql" {
  count                = length(local.mysql) == 0 ? 0 : 1
  name                 = "${local.name}-mysql"
  resource_group_name  = local.network.group
  virtual_network_name = local.network.name
  address_prefixes     = [cidrsubnet(var.network.cidr_block, 8, 129)]

  delegation {
    name = "servers"

    service_delegation {
      name    = "Microsoft.DBforMySQL/flexibleServers"
      actions = ["Microsoft.Network/virtualNetworks/subnets/join/action"]
    }
  }
}

resource "azurerm_network_security_group" "main" {
  name                = local.name
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  tags                = local.tags

  security_rule {
    name                       = "inside"
    priority                   = 100
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "*"
    source_address_prefixes    = local.inside
    source_port_range          = "*"
    destination_address_prefix = "*"
    destination_port_range     = "*"
  }
}

resource "azurerm_subnet_network_security_group_association" "main" {
  subnet_id                 = azurerm_subnet.main.id
  network_security_group_id = azurerm_network_security_group.main.id
}

resource "azurerm_public_ip" "nat" {
  count               = var.network.provision_network ? 1 : 0
  name                = "${local.name}-nat"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  allocation_method   = "Static"
  sku                 = "Standard"
  tags                = local.tags
}

resource "azurerm_nat_gateway" "main" {
  count               = var.network.provision_network ? 1 : 0
  name                = local.name
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  sku_name            = "Standard"
  tags                = local.tags
}

resource "azurerm_nat_gateway_public_ip_association" "main" {
  count                = var.network.provision_network ? 1 : 0
  nat_gateway_id       = azurerm_nat_gateway.main[0].id
  public_ip_address_id = azurerm_public_ip.nat[0].id
}

resource "azurerm_subnet_nat_gateway_association" "main" {
  count          = var.network.provision_network ? 1 : 0
  subnet_id      = azurerm_subnet.main.id
  nat_gateway_id = azurerm_nat_gateway.main[0].id
}
