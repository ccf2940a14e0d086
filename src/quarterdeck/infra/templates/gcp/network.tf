data "google_compute_network" "existing" {
  count = var.network.provision_network ? 0 : 1
  name  = var.network.network_id
}

locals {
  network_id   = var.network.provision_network ? google_compute_network.main[0].id : data.google_compute_network.existing[0].id
  network_name = var.network.provision_network ? google_compute_network.main[0].name : data.google_compute_network.existing[0].name
  inside       = distinct(concat([var.network.cidr_block], var.network.allowed_cidr_blocks))
  # Databases and caches are reached over one connection of the network to Google's services.
  peered = length(var.databases) + length(var.caches) == 0 ? 0 : 1
}

resource "google_compute_network" "main" {
  count                   = var.network.provision_network ? 1 : 0
  name                    = local.name
  auto_create_subnetworks = false
}

resource "google_compute_subnetwork" "main" {
  name                     = local.name
  network                  = local.network_id
  region                   = var.region
  ip_cidr_range            = cidrsubnet(var.network.cidr_block, 4, 0)
  private_ip_google_access = true

  secondary_ip_range {
    range_name    = "pods"
    ip_cidr_range = cidrsubnet(var.network.cidr_block, 2, 1)
  }

  secondary_ip_range {
    range_name    = "services"
    ip_cidr_range = cidrsubnet(var.network.cidr_block, 4, 1)
  }
}

resource "google_compute_router" "main" {
  count   = var.network.provision_network ? 1 : 0
  name    = local.name
  network = local.network_id
  region  = var.region
}

resource "google_compute_router_nat" "main" {
  count                              = var.network.provision_network ? 1 : 0
  name                               = local.name
  router                             = google_compute_router.main[0].name
  region                             = var.region
  nat_ip_allocate_option             = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat = "ALL_SUBNETWORKS_ALL_IP_RANGES"
}

resource "google_compute_firewall" "inside" {
  name          = "${local.name}-inside"
  network       = local.network_name
  direction     = "INGRESS"
  source_ranges = local.inside

  allow {
    protocol = "all"
  }
}

resource "google_compute_global_address" "services" {
  count         = local.peered
  name          = "${local.name}-services"
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  prefix_length = 20
  network       = local.network_id
}

resource "google_service_networking_connection" "main" {
  count                   = local.peered
  network                 = local.network_id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.services[0].name]
}
