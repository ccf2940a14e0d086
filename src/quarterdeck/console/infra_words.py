"""What fields of a specification are called in forms, by their name in the document."""

from __future__ import annotations

LABELS = {
    "project_name": "Name",
    "environment_stage": "Stage",
    "terraform_version": "Terraform version",
    "cloud_identity_id": "Cloud identity",
    "zone_id": "Zone",
    "drift_minutes": "Look for drift every",
    "drift_cloud_identity_id": "Cloud identity for those looks",
    "provision_network": "Make a network",
    "cidr_block": "Addresses of it (CIDR)",
    "network_id": "Or use the network",
    "single_nat_gateway": "One NAT gateway for all zones",
    "allowed_cidr_blocks": "Allowed addresses (CIDR)",
    "provider_config": "Options of the provider, as JSON",
    "cluster_version": "Kubernetes version",
    "instance_types": "Sizes of nodes",
    "node_min_size": "Nodes, at least",
    "node_max_size": "Nodes, at most",
    "node_desired_size": "Nodes, to begin with",
    "cluster_admins": "Administrators, as JSON",
    "enabled": "Make records",
    "domain_name": "Domain",
    "managed_certificate": "Certificate of the provider",
    "waf_enabled": "Web application firewall",
    "apps_destination_repo": "Repository of applications",
    "engine_version": "Version of it",
    "min_capacity": "Capacity, at least",
    "max_capacity": "Capacity, at most",
    "backup_retention_days": "Backups are kept, days",
    "iam_auth": "Sign in by identities of the cloud",
    "num_cache_nodes": "Nodes",
    "node_type": "Size of nodes",
    "multi_az": "In several zones",
    "fifo": "In order (FIFO)",
    "visibility_timeout": "Hidden while worked on, seconds",
    "message_retention": "Messages are kept, seconds",
    "delay_seconds": "Delay, seconds",
    "subscriptions": "Subscriptions, as JSON",
    "table_type": "Kind of table",
    "hash_key": "Partition key",
    "hash_key_type": "Type of it",
    "range_key": "Sort key",
    "range_key_type": "Type of the sort key",
    "billing_mode": "Paid for",
    "point_in_time_recovery": "Recovery to any point in time",
    "global_replicas": "Regions of replicas",
    "special_chars": "With special characters",
    "immutable_tags": "Tags never change",
    "scan_on_push": "Images are scanned",
    "cors_origins": "Allowed origins",
    "public_access": "Readable by everybody",
    "kind": "Comes from",
    "url": "Repository",
    "commit": "Commit",
    "path": "Directory in it",
    "module_token": "Token for the repository",
    "comment": "What is changed",
    "variables": "Variables of the module, as JSON",
}
HINTS = {
    "project_name": "Letters, digits and . _ -. It is typed before anything is destroyed.",
    "drift_minutes": "Minutes, 5 or more. Without a number nobody looks by itself.",
    "drift_cloud_identity_id": "One of the same account that can only read. Without one, looks use the one above.",
    "network_id": "Of the provider, where no network is made.",
    "allowed_cidr_blocks": "One on a line.",
    "instance_types": "One on a line, as the provider calls them.",
    "cors_origins": "One on a line.",
    "global_replicas": "One on a line.",
    "cluster_admins": 'A list such as [{"username": "ops", "groups": ["system:masters"]}].',
    "subscriptions": 'A list such as [{"protocol": "https", "endpoint": "https://hook.example.com"}].',
    "commit": "All 40 digits: a branch may be another thing tomorrow.",
    "module_token": "Sealed, and never shown again. Empty keeps the one there is.",
    "comment": "Stands beside the version.",
    "variables": "A JSON object. No secrets: many may read it.",
    "zone_id": "Its policy says how many people must agree.",
}
CHOICES = {
    "kind": {"bundled": "A bundled template", "git": "A git repository"},
    "provider": {"local": "local, to try it", "aws": "AWS", "gcp": "Google Cloud", "azure": "Azure"},
}
SECTIONS = {
    "module": ("Module", "Where its Terraform comes from."),
    "network": ("Network", ""),
    "cluster": ("Cluster", ""),
    "dns": ("DNS", ""),
    "repositories": ("Repositories", "What a GitOps controller fetches."),
    "databases": ("Databases", "database"),
    "caches": ("Caches", "cache"),
    "queues": ("Queues", "queue"),
    "topics": ("Topics", "topic"),
    "nosql_tables": ("NoSQL tables", "table"),
    "secrets": ("Secrets", "secret"),
    "container_registries": ("Container registries", "registry"),
    "storage_buckets": ("Storage buckets", "bucket"),
}
"""Title, and what stands under it or what one of a list is called."""


OTHER = {"dns.zone_id": ("Hosted zone", "Of the provider, where records are made.")}
"""Fields whose name means another thing at their place."""


def label(path: str) -> str:
    name = path.rpartition(".")[2]
    return OTHER[path][0] if path in OTHER else LABELS.get(name) or name.replace("_", " ").capitalize()


def hint(path: str) -> str:
    return OTHER[path][1] if path in OTHER else HINTS.get(path.rpartition(".")[2], "")
