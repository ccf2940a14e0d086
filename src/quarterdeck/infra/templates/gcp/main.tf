terraform {
  required_version = ">= 1.6"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "6.50.0"
    }
    random = {
      source  = "hashicorp/random"
      version = "3.7.2"
    }
  }
}

provider "google" {
  project = var.cloud_account_id
  region  = var.region

  default_labels = {
    project    = lower(var.project_name)
    stage      = lower(var.environment_stage)
    managed-by = "quarterdeck"
  }
}

locals {
  name = "${var.project_name}-${var.environment_stage}"
}
