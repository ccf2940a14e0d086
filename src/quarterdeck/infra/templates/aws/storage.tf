locals {
  storage_buckets = { for item in var.storage_buckets : item.name => item }
  secrets         = { for item in var.secrets : item.name => item }
}

resource "random_password" "secret" {
  for_each = { for name, item in local.secrets : name => item if item.generate }
  length   = each.value.length
  special  = each.value.special_chars
}

resource "aws_secretsmanager_secret" "main" {
  for_each                = local.secrets
  name                    = "${local.name}/${each.key}"
  recovery_window_in_days = var.environment_stage == "production" ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "main" {
  for_each      = random_password.secret
  secret_id     = aws_secretsmanager_secret.main[each.key].id
  secret_string = each.value.result
}

resource "aws_ecr_repository" "main" {
  for_each             = { for item in var.container_registries : item.name => item }
  name                 = "${local.name}/${each.key}"
  image_tag_mutability = each.value.immutability ? "IMMUTABLE" : "MUTABLE"

  image_scanning_configuration {
    scan_on_push = each.value.scan
  }
}

resource "aws_s3_bucket" "main" {
  for_each = local.storage_buckets
  bucket   = lower("${local.name}-${each.key}-${local.account}")
}

resource "aws_s3_bucket_versioning" "main" {
  for_each = { for name, item in local.storage_buckets : name => item if item.versioning }
  bucket   = aws_s3_bucket.main[each.key].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "main" {
  for_each = { for name, item in local.storage_buckets : name => item if item.encryption }
  bucket   = aws_s3_bucket.main[each.key].id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "main" {
  for_each                = local.storage_buckets
  bucket                  = aws_s3_bucket.main[each.key].id
  block_public_acls       = true
  ignore_public_acls      = true
  block_public_policy     = !each.value.public_access
  restrict_public_buckets = !each.value.public_access
}

resource "aws_s3_bucket_policy" "public" {
  for_each = { for name, item in local.storage_buckets : name => item if item.public_access }
  bucket   = aws_s3_bucket.main[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = "*"
      Action    = "s3:GetObject"
      Resource  = "${aws_s3_bucket.main[each.key].arn}/*"
    }]
  })

  depends_on = [aws_s3_bucket_public_access_block.main]
}

resource "aws_s3_bucket_cors_configuration" "main" {
  for_each = { for name, item in local.storage_buckets : name => item if length(item.cors_origins) > 0 }
  bucket   = aws_s3_bucket.main[each.key].id

  cors_rule {
    allowed_headers = ["*"]
    allowed_methods = ["GET", "HEAD", "PUT", "POST"]
    allowed_origins = each.value.cors_origins
    max_age_seconds = 3600
  }
}
