resource "google_dns_managed_zone" "main" {
  count    = var.dns.enabled && var.dns.zone_id == null ? 1 : 0
  name     = lower(local.name)
  dns_name = "${var.dns.domain_name}."
}

resource "google_compute_managed_ssl_certificate" "main" {
  count = var.dns.enabled && var.dns.managed_certificate ? 1 : 0
  name  = lower(local.name)

  managed {
    domains = [var.dns.domain_name]
  }
}

resource "google_compute_security_policy" "main" {
  count = var.dns.enabled && var.dns.waf_enabled ? 1 : 0
  name  = lower(local.name)

  rule {
    action      = "deny(403)"
    priority    = 1000
    description = "Scripts in requests"

    match {
      expr {
        expression = "evaluatePreconfiguredWaf('xss-v33-stable')"
      }
    }
  }

  rule {
    action      = "deny(403)"
    priority    = 1001
    description = "Database statements in requests"

    match {
      expr {
        expression = "evaluatePreconfiguredWaf('sqli-v33-stable')"
      }
    }
  }

  rule {
    action      = "allow"
    priority    = 2147483647
    description = "Everything else"

    match {
      versioned_expr = "SRC_IPS_V1"

      config {
        src_ip_ranges = ["*"]
      }
    }
  }
}
