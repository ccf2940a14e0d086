terraform {
  required_version = ">= 1.6"

  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "4.55.0"
    }
    random = {
      source  = "hashicorp/random"
      version = "3.7.2"
    }
  }
}

provider "azurerm" {
  subscription_id                 = var.cloud_account_id
  resource_provider_registrations = "core"

  features {}
}

data "azurerm_client_config" "current" {}

locals {
  name = "${var.project_name}-${var.environment_stage}"
  # Names that the whole of Azure shares have letters and digits alone, and end with something of this subscription.
  short  = substr(replace(lower(local.name), "/[^a-z0-9]/", ""), 0, 12)
  unique = substr(sha256("${var.cloud_account_id}/${local.name}"), 0, 6)
  tags = {
    project    = var.project_name
    stage      = var.environment_stage
    managed-by = "quarterdeck"
  }
}

resource "azurerm_resource_group" "main" {
  name     = local.name
  location = var.region
  tags     = local.tags
}
