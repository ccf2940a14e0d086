locals {
  dns_zones    = var.dns.enabled && var.dns.zone_id == null ? 1 : 0
  dns_zone_id  = var.dns.enabled ? (var.dns.zone_id == null ? aws_route53_zone.main[0].zone_id : var.dns.zone_id) : null
  certificates = var.dns.enabled && var.dns.managed_certificate ? 1 : 0
}

resource "aws_route53_zone" "main" {
  count = local.dns_zones
  name  = var.dns.domain_name
}

resource "aws_acm_certificate" "main" {
  count                     = local.certificates
  domain_name               = var.dns.domain_name
  subject_alternative_names = ["*.${var.dns.domain_name}"]
  validation_method         = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "validation" {
  # The domain and its wildcard are proved by one record.
  count           = local.certificates
  zone_id         = local.dns_zone_id
  name            = tolist(aws_acm_certificate.main[0].domain_validation_options)[0].resource_record_name
  type            = tolist(aws_acm_certificate.main[0].domain_validation_options)[0].resource_record_type
  records         = [tolist(aws_acm_certificate.main[0].domain_validation_options)[0].resource_record_value]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "main" {
  # A zone that was just made is delegated by hand, and nothing waits for that.
  count                   = local.dns_zones == 0 ? local.certificates : 0
  certificate_arn         = aws_acm_certificate.main[0].arn
  validation_record_fqdns = aws_route53_record.validation[*].fqdn
}

resource "aws_wafv2_web_acl" "main" {
  count = var.dns.enabled && var.dns.waf_enabled ? 1 : 0
  name  = local.name
  scope = "REGIONAL"

  default_action {
    allow {}
  }

  rule {
    name     = "common"
    priority = 1

    override_action {
      none {}
    }

    statement {
      managed_rule_group_statement {
        name        = "AWSManagedRulesCommonRuleSet"
        vendor_name = "AWS"
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "${local.name}-common"
      sampled_requests_enabled   = true
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = local.name
    sampled_requests_enabled   = true
  }
}
