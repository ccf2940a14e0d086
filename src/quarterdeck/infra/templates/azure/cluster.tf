resource "azurerm_kubernetes_cluster" "main" {
  count               = var.cluster == null ? 0 : 1
  name                = local.name
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  dns_prefix          = local.short
  kubernetes_version  = var.cluster.cluster_version
  tags                = local.tags

  default_node_pool {
    name                 = "main"
    vm_size              = length(var.cluster.instance_types) == 0 ? "Standard_D2s_v5" : var.cluster.instance_types[0]
    vnet_subnet_id       = azurerm_subnet.main.id
    auto_scaling_enabled = true
    min_count            = var.cluster.node_min_size
    max_count            = var.cluster.node_max_size
    node_count           = var.cluster.node_desired_size

    upgrade_settings {
      max_surge = "10%"
    }
  }

  identity {
    type = "SystemAssigned"
  }

  network_profile {
    network_plugin      = "azure"
    network_plugin_mode = "overlay"
    outbound_type       = var.network.provision_network ? "userAssignedNATGateway" : "loadBalancer"
    # Outside of any network that a specification may ask for.
    pod_cidr       = "100.64.0.0/16"
    service_cidr   = "100.65.0.0/16"
    dns_service_ip = "100.65.0.10"
  }

  dynamic "api_server_access_profile" {
    for_each = length(var.network.allowed_cidr_blocks) == 0 ? [] : [1]
    content {
      authorized_ip_ranges = var.network.allowed_cidr_blocks
    }
  }

  lifecycle {
    ignore_changes = [default_node_pool[0].node_count]
  }

  depends_on = [azurerm_subnet_nat_gateway_association.main]
}

resource "azurerm_role_assignment" "network" {
  count                = var.cluster == null ? 0 : 1
  scope                = azurerm_subnet.main.id
  role_definition_name = "Network Contributor"
  principal_id         = azurerm_kubernetes_cluster.main[0].identity[0].principal_id
}

resource "azurerm_role_assignment" "admin" {
  # Administrators are named by their object ids.
  for_each             = toset(var.cluster == null ? [] : var.cluster.cluster_admins[*].username)
  scope                = azurerm_kubernetes_cluster.main[0].id
  role_definition_name = "Azure Kubernetes Service Cluster Admin Role"
  principal_id         = each.value
}
