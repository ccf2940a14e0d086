variable "project_name" {
  type = string
}

variable "environment_stage" {
  type    = string
  default = "development"
}

variable "region" {
  type    = string
  default = ""
}

variable "cloud_account_id" {
  description = "The account, project or subscription that everything is made in."
  type        = string
  default     = ""
}

variable "network" {
  type = object({
    provision_network   = optional(bool, true)
    network_id          = optional(string)
    cidr_block          = optional(string, "10.0.0.0/16")
    single_nat_gateway  = optional(bool, true)
    allowed_cidr_blocks = optional(list(string), [])
  })
  default = {}
}

variable "cluster" {
  description = "No cluster is made where this is null."
  type = object({
    cluster_version   = optional(string)
    instance_types    = optional(list(string), [])
    node_min_size     = optional(number, 2)
    node_max_size     = optional(number, 5)
    node_desired_size = optional(number, 2)
    cluster_admins = optional(list(object({
      username = string
      groups   = optional(list(string), [])
    })), [])
    provider_config = optional(object({
      enable_karpenter          = optional(bool, false)
      enable_autopilot          = optional(bool, false)
      enable_cluster_autoscaler = optional(bool, false)
    }), {})
  })
  default = null
}

variable "dns" {
  type = object({
    enabled             = optional(bool, false)
    zone_id             = optional(string)
    domain_name         = optional(string, "")
    managed_certificate = optional(bool, false)
    waf_enabled         = optional(bool, false)
  })
  default = {}
}

variable "repositories" {
  type = object({
    apps_destination_repo = optional(string, "")
  })
  default = {}
}

variable "databases" {
  type = list(object({
    name                  = string
    engine                = optional(string, "postgres")
    engine_version        = optional(string)
    min_capacity          = optional(number, 0.5)
    max_capacity          = optional(number, 4)
    port                  = optional(number, 5432)
    backup_retention_days = optional(number, 7)
    iam_auth              = optional(bool, false)
  }))
  default = []
}

variable "caches" {
  type = list(object({
    name                = string
    engine              = optional(string, "redis")
    node_type           = optional(string)
    num_cache_nodes     = optional(number, 1)
    multi_az            = optional(bool, false)
    allowed_cidr_blocks = optional(list(string), [])
  }))
  default = []
}

variable "queues" {
  type = list(object({
    name               = string
    fifo               = optional(bool, false)
    visibility_timeout = optional(number, 30)
    message_retention  = optional(number, 345600)
    delay_seconds      = optional(number, 0)
  }))
  default = []
}

variable "topics" {
  type = list(object({
    name = string
    subscriptions = optional(list(object({
      protocol = string
      endpoint = string
    })), [])
  }))
  default = []
}

variable "nosql_tables" {
  type = list(object({
    name                   = string
    table_type             = optional(string, "standard")
    hash_key               = optional(string, "id")
    hash_key_type          = optional(string, "S")
    range_key              = optional(string)
    range_key_type         = optional(string, "S")
    billing_mode           = optional(string, "on_demand")
    point_in_time_recovery = optional(bool, false)
    global_replicas        = optional(list(string), [])
  }))
  default = []
}

variable "secrets" {
  type = list(object({
    name          = string
    generate      = optional(bool, true)
    length        = optional(number, 32)
    special_chars = optional(bool, true)
  }))
  default = []
}

variable "container_registries" {
  type = list(object({
    name         = string
    immutability = optional(bool, false)
    scan         = optional(bool, true)
  }))
  default = []
}

variable "storage_buckets" {
  type = list(object({
    name          = string
    versioning    = optional(bool, false)
    encryption    = optional(bool, true)
    public_access = optional(bool, false)
    cors_origins  = optional(list(string), [])
  }))
  default = []
}
