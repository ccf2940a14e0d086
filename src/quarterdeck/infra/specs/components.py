"""The lists of a specification: databases, caches, queues and the rest (contract: infra §4.2).

Fields have the names of the contract's first generation; the names of the second are aliases.
"""

from __future__ import annotations

from typing import Any

from quarterdeck.infra.specs.fields import (
    Field,
    Report,
    Shape,
    Together,
    choice,
    each,
    flag,
    inside,
    integer,
    network,
    number,
    text,
    texts,
    words,
)
from quarterdeck.infra.specs.free import free

TOLD = frozenset({
    "id", "spec_id", "configuration_id", "status", "status_message", "estimated_monthly_cost", "created_at",
    "updated_at", "outputs", "endpoint", "reader_endpoint", "primary_endpoint", "repository_url", "arn", "url",
    "provider_outputs",
})  # fmt: skip
"""What is told of a component after an apply, and is no part of what is declared."""

NAME = text(r"[A-Za-z][A-Za-z0-9_-]*", "a name of letters, digits, _ and -, beginning with a letter", 63)
PATH = text(r"[A-Za-z0-9/][A-Za-z0-9._/-]*", "a name of letters, digits and . _ / -", 200)
BUCKET = text(r"[a-z0-9][a-z0-9.-]*[a-z0-9]", "a name of small letters, digits, . and -", 63)
VERSION = text(r"[0-9]+(?:\.[0-9a-z_]+)*", "a version such as 16 or 8.0.35", 40)
SIZE = text(r"[A-Za-z0-9][A-Za-z0-9._-]*", "a size as the provider calls it, such as t3.large", 80)
ATTRIBUTE = text(r"[A-Za-z_][A-Za-z0-9_.-]*", "the name of an attribute", 255)
REGION = text(r"[a-z0-9-]+", "a region as the provider calls it", 60)
ORIGIN = text(r"\*|https?://[^\s/?#@]+", "an origin such as https://app.example.com, or *", 300)
OPTIONS = Field(free(r"[A-Za-z_][A-Za-z0-9_.-]*", "of letters, digits and _ . -"), dict)
CIDRS = Field(texts(network(0, 32)), list)

PORTS = {"postgres": 5432, "mysql": 3306}
ENGINES = {"postgresql": "postgres", "aurora-postgresql": "postgres", "aurora-mysql": "mysql"}
"""What else a database is called; which product of the provider serves one, the template decides."""


def _of_engine(found: dict[str, Any], _path: str, _report: Report) -> None:
    found["port"] = found["port"] or PORTS[found["engine"]]


def _capacities(found: dict[str, Any], path: str, report: Report) -> None:
    if found["min_capacity"] > found["max_capacity"]:
        report.add(inside(path, "min_capacity"), f"it is more than max_capacity, {found['max_capacity']}.")


DATABASE = Shape(
    {
        "name": Field(NAME),
        "engine": Field(choice(*PORTS, synonyms=ENGINES), "postgres"),
        "engine_version": Field(VERSION, None),
        "min_capacity": Field(number(0, 256), 0.5),
        "max_capacity": Field(number(0.5, 256), 4),
        "port": Field(integer(1, 65535), None),
        "backup_retention_days": Field(integer(0, 35), 7),
        "iam_auth": Field(flag, False),
        "provider_config": OPTIONS,
    },
    told=TOLD,
    together=(
        Together(("engine", "port"), _of_engine),
        Together(("min_capacity", "max_capacity"), _capacities),
    ),
)

CACHE = Shape(
    {
        "name": Field(NAME),
        "engine": Field(choice("redis", "valkey"), "redis"),
        "engine_version": Field(VERSION, None),
        "node_type": Field(SIZE, None),
        "num_cache_nodes": Field(integer(1, 90), 1),
        "multi_az": Field(flag, False),
        "allowed_cidr_blocks": CIDRS,
        "provider_config": OPTIONS,
    },
    told=TOLD,
)

QUEUE = Shape(
    {
        "name": Field(NAME),
        "fifo": Field(flag, False),
        "visibility_timeout": Field(integer(0, 43_200), 30),
        "message_retention": Field(integer(60, 1_209_600), 345_600),
        "delay_seconds": Field(integer(0, 900), 0),
        "provider_config": OPTIONS,
    },
    aliases={"ordered": "fifo"},
    told=TOLD,
)

PROTOCOLS = ("sqs", "lambda", "http", "https", "email", "email-json", "sms", "application", "firehose", "queue", "push")
SUBSCRIPTION = Shape({"protocol": Field(choice(*PROTOCOLS)), "endpoint": Field(words(2000))}, told=TOLD)
TOPIC = Shape(
    {"name": Field(NAME), "subscriptions": Field(each(SUBSCRIPTION, key=None), list), "provider_config": OPTIONS},
    told=TOLD,
)


def _keys(found: dict[str, Any], path: str, report: Report) -> None:
    found["range_key_type"] = (found["range_key_type"] or "S") if found["range_key"] else None
    if found["range_key"] == found["hash_key"]:
        report.add(inside(path, "range_key"), "it is the hash_key already.")


def _replicas(found: dict[str, Any], path: str, report: Report) -> None:
    if found["global_replicas"] and found["table_type"] != "global":
        report.add(inside(path, "global_replicas"), "only a table_type global has replicas.")


KEY_TYPE = choice("S", "N", "B")
MODES = {"PAY_PER_REQUEST": "on_demand", "PROVISIONED": "provisioned"}
TABLE = Shape(
    {
        "name": Field(NAME),
        "table_type": Field(choice("standard", "global"), "standard"),
        "hash_key": Field(ATTRIBUTE),
        "hash_key_type": Field(KEY_TYPE, "S"),
        "range_key": Field(ATTRIBUTE, None),
        "range_key_type": Field(KEY_TYPE, None),
        "billing_mode": Field(choice("on_demand", "provisioned", synonyms=MODES), "on_demand"),
        "point_in_time_recovery": Field(flag, False),
        "global_replicas": Field(texts(REGION), list),
        "provider_config": OPTIONS,
    },
    aliases={
        "partition_key": "hash_key",
        "partition_key_type": "hash_key_type",
        "sort_key": "range_key",
        "sort_key_type": "range_key_type",
        "capacity_mode": "billing_mode",
    },
    told=TOLD,
    together=(
        Together(("hash_key", "range_key", "range_key_type"), _keys),
        Together(("table_type", "global_replicas"), _replicas),
    ),
)

SECRET = Shape(
    {
        "name": Field(PATH),
        "generate": Field(flag, True),
        "length": Field(integer(8, 4096), 32),
        "special_chars": Field(flag, True),
        "provider_config": OPTIONS,
    },
    told=TOLD,
)

REGISTRY = Shape(
    {
        "name": Field(PATH),
        "immutability": Field(flag, False),
        "scan": Field(flag, True),
        "provider_config": OPTIONS,
    },
    aliases={"immutable_tags": "immutability", "scan_on_push": "scan"},
    told=TOLD,
)

STORAGE = Shape(
    {
        "name": Field(BUCKET),
        "versioning": Field(flag, False),
        "encryption": Field(flag, True),
        "public_access": Field(flag, False),
        "cors_origins": Field(texts(ORIGIN), list),
        "provider_config": OPTIONS,
    },
    told=TOLD,
)

LISTS = {
    "databases": Field(each(DATABASE), list),
    "caches": Field(each(CACHE), list),
    "queues": Field(each(QUEUE), list),
    "topics": Field(each(TOPIC), list),
    "nosql_tables": Field(each(TABLE), list),
    "secrets": Field(each(SECRET), list),
    "container_registries": Field(each(REGISTRY), list),
    "storage_buckets": Field(each(STORAGE), list),
}
"""Every list by its name in the document; names are different within each."""
