locals {
  clusters  = var.cluster == null ? 0 : 1
  autopilot = var.cluster == null ? false : var.cluster.provider_config.enable_autopilot
}

resource "google_container_cluster" "main" {
  count                    = local.clusters
  name                     = local.name
  location                 = var.region
  network                  = local.network_id
  subnetwork               = google_compute_subnetwork.main.id
  min_master_version       = var.cluster.cluster_version
  enable_autopilot         = local.autopilot ? true : null
  remove_default_node_pool = local.autopilot ? null : true
  initial_node_count       = local.autopilot ? null : 1
  deletion_protection      = var.environment_stage == "production"

  ip_allocation_policy {
    cluster_secondary_range_name  = "pods"
    services_secondary_range_name = "services"
  }

  private_cluster_config {
    enable_private_nodes    = true
    enable_private_endpoint = false
  }

  workload_identity_config {
    workload_pool = "${var.cloud_account_id}.svc.id.goog"
  }

  dynamic "master_authorized_networks_config" {
    for_each = length(var.network.allowed_cidr_blocks) == 0 ? [] : [1]
    content {
      dynamic "cidr_blocks" {
        for_each = var.network.allowed_cidr_blocks
        content {
          cidr_block = cidr_blocks.value
        }
      }
    }
  }
}

resource "google_service_account" "nodes" {
  count        = local.autopilot ? 0 : local.clusters
  account_id   = substr("${lower(local.name)}-nodes", 0, 30)
  display_name = "Nodes of ${local.name}"
}

resource "google_project_iam_member" "nodes" {
  for_each = toset(local.autopilot || var.cluster == null ? [] : [
    "roles/container.defaultNodeServiceAccount", "roles/artifactregistry.reader",
  ])
  project = var.cloud_account_id
  role    = each.value
  member  = "serviceAccount:${google_service_account.nodes[0].email}"
}

resource "google_container_node_pool" "main" {
  count    = local.autopilot ? 0 : local.clusters
  name     = "main"
  cluster  = google_container_cluster.main[0].id
  location = var.region
  # Counts are of each zone otherwise.
  initial_node_count = 1

  autoscaling {
    total_min_node_count = var.cluster.node_min_size
    total_max_node_count = var.cluster.node_max_size
    location_policy      = "BALANCED"
  }

  node_config {
    machine_type    = length(var.cluster.instance_types) == 0 ? "e2-standard-2" : var.cluster.instance_types[0]
    service_account = google_service_account.nodes[0].email
    oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"]

    workload_metadata_config {
      mode = "GKE_METADATA"
    }
  }

  lifecycle {
    ignore_changes = [initial_node_count]
  }
}

resource "google_project_iam_member" "admin" {
  for_each = toset(var.cluster == null ? [] : var.cluster.cluster_admins[*].username)
  project  = var.cloud_account_id
  role     = "roles/container.admin"
  member   = strcontains(each.value, ":") ? each.value : "user:${each.value}"
}
