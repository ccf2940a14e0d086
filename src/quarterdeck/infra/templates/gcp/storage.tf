locals {
  storage_buckets = { for item in var.storage_buckets : item.name => item }
  secrets         = { for item in var.secrets : item.name => item }
}

resource "random_password" "secret" {
  for_each = { for name, item in local.secrets : name => item if item.generate }
  length   = each.value.length
  special  = each.value.special_chars
}

resource "google_secret_manager_secret" "main" {
  for_each  = local.secrets
  secret_id = "${local.name}-${each.key}"

  replication {
    auto {}
  }
}

resource "google_secret_manager_secret_version" "main" {
  for_each    = random_password.secret
  secret      = google_secret_manager_secret.main[each.key].id
  secret_data = each.value.result
}

resource "google_artifact_registry_repository" "main" {
  for_each      = { for item in var.container_registries : item.name => item }
  repository_id = lower("${local.name}-${each.key}")
  location      = var.region
  format        = "DOCKER"

  docker_config {
    immutable_tags = each.value.immutability
  }
}

resource "google_storage_bucket" "main" {
  for_each                    = local.storage_buckets
  name                        = lower("${local.name}-${each.key}-${var.cloud_account_id}")
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = each.value.public_access ? "inherited" : "enforced"

  versioning {
    enabled = each.value.versioning
  }

  dynamic "cors" {
    for_each = length(each.value.cors_origins) == 0 ? [] : [1]
    content {
      origin          = each.value.cors_origins
      method          = ["GET", "HEAD", "PUT", "POST"]
      response_header = ["*"]
      max_age_seconds = 3600
    }
  }
}

resource "google_storage_bucket_iam_member" "public" {
  for_each = { for name, item in local.storage_buckets : name => item if item.public_access }
  bucket   = google_storage_bucket.main[each.key].name
  role     = "roles/storage.objectViewer"
  member   = "allUsers"
}
