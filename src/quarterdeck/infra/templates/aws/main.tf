terraform {
  required_version = ">= 1.6"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "6.25.0"
    }
    random = {
      source  = "hashicorp/random"
      version = "3.7.2"
    }
  }
}

provider "aws" {
  region              = var.region
  allowed_account_ids = var.cloud_account_id == "" ? null : [var.cloud_account_id]

  default_tags {
    tags = {
      Project   = var.project_name
      Stage     = var.environment_stage
      ManagedBy = "quarterdeck"
    }
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  name      = "${var.project_name}-${var.environment_stage}"
  partition = data.aws_partition.current.partition
  account   = data.aws_caller_identity.current.account_id
}
