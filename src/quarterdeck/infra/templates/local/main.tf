terraform {
  required_version = ">= 1.4"
}

locals {
  name = "${var.project_name}-${var.environment_stage}"
}

resource "terraform_data" "project" {
  input = {
    name   = var.project_name
    stage  = var.environment_stage
    region = var.region
    apps   = var.repositories.apps_destination_repo
  }
}

resource "terraform_data" "network" {
  count = var.network.provision_network ? 1 : 0
  input = {
    name                = local.name
    cidr_block          = var.network.cidr_block
    single_nat_gateway  = var.network.single_nat_gateway
    allowed_cidr_blocks = var.network.allowed_cidr_blocks
  }
  triggers_replace = var.network.cidr_block
}

resource "terraform_data" "cluster" {
  count = var.cluster == null ? 0 : 1
  input = {
    name            = local.name
    cluster_version = var.cluster.cluster_version
    instance_types  = var.cluster.instance_types
    node_min_size   = var.cluster.node_min_size
    node_max_size   = var.cluster.node_max_size
  }
}

resource "terraform_data" "node" {
  count = var.cluster == null ? 0 : var.cluster.node_desired_size
  input = {
    name = "${local.name}-node-${count.index}"
  }
}

resource "terraform_data" "dns" {
  count = var.dns.enabled ? 1 : 0
  input = var.dns
}

resource "terraform_data" "database" {
  for_each = { for item in var.databases : item.name => item }
  input    = each.value
}

resource "terraform_data" "cache" {
  for_each = { for item in var.caches : item.name => item }
  input    = each.value
}

resource "terraform_data" "queue" {
  for_each         = { for item in var.queues : item.name => item }
  input            = each.value
  triggers_replace = each.value.fifo
}

resource "terraform_data" "topic" {
  for_each = { for item in var.topics : item.name => item }
  input    = each.value
}

resource "terraform_data" "nosql_table" {
  for_each         = { for item in var.nosql_tables : item.name => item }
  input            = each.value
  triggers_replace = [each.value.hash_key, each.value.range_key]
}

resource "terraform_data" "secret" {
  for_each         = { for item in var.secrets : item.name => item }
  input            = each.value
  triggers_replace = each.value.length
}

resource "terraform_data" "container_registry" {
  for_each = { for item in var.container_registries : item.name => item }
  input    = each.value
}

resource "terraform_data" "storage_bucket" {
  for_each = { for item in var.storage_buckets : item.name => item }
  input    = each.value
}
