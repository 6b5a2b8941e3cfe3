"""Kong's schemas, as far as they matter here: what a plugin's configuration may hold, and what Kong fills in."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from itertools import combinations
from typing import Any

PERIODS = ("second", "minute", "hour", "day", "month", "year")
REDIS = {
    "host": None, "port": 6379, "password": None, "username": None, "database": 0, "timeout": 2000, "ssl": False,
    "ssl_verify": False, "server_name": None,
}  # fmt: skip
#: What Kong puts where a request says nothing, by plugin.
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "key-auth": {
        "key_names": ["apikey"], "hide_credentials": False, "anonymous": None, "key_in_header": True,
        "key_in_query": True, "key_in_body": False, "run_on_preflight": True, "realm": None,
    },
    "acl": {
        "allow": None, "deny": None, "hide_groups_header": False, "include_consumer_groups": False,
        "always_use_authenticated_groups": False,
    },
    "rate-limiting": {
        **dict.fromkeys(PERIODS), "limit_by": "consumer", "policy": "local", "header_name": None, "path": None,
        "fault_tolerant": True, "hide_client_headers": False, "error_code": 429, "sync_rate": -1,
        "error_message": "API rate limit exceeded", "redis": REDIS, "redis_host": None, "redis_port": 6379,
    },
    "rate-limiting-advanced": {
        "limit": None, "window_size": None, "window_type": "sliding", "strategy": "local", "sync_rate": None,
        "namespace": None, "identifier": "consumer", "disable_penalty": False, "hide_client_headers": False,
        "dictionary_name": "kong_rate_limiting_counters", "error_code": 429, "redis": REDIS, "consumer_groups": None,
    },
    "cors": {"origins": None},
}  # fmt: skip
#: What Kong puts into entities.
FIELDS: Mapping[str, Mapping[str, Any]] = {
    "services": {
        "name": None, "protocol": "http", "port": 80, "path": None, "retries": 5, "enabled": True, "tags": None,
    },
    "consumers": {"username": None, "custom_id": None, "tags": None},
    "consumer_groups": {"tags": None},
    "plugins": {
        "enabled": True, "service": None, "route": None, "consumer": None, "consumer_group": None, "tags": None,
        "instance_name": None, "protocols": ["grpc", "grpcs", "http", "https"],
    },
    "key-auths": {"ttl": None, "tags": None},
    "acls": {"tags": None},
}  # fmt: skip


class Violation(ValueError):
    """What a schema refuses; ``fields`` are the complaints by field."""

    def __init__(self, **fields: str) -> None:
        super().__init__("; ".join(f"{name}: {said}" for name, said in fields.items()))
        self.fields = fields


def filled(table: str, body: Mapping[str, Any], plugins: tuple[str, ...]) -> dict[str, Any]:
    """
    Return an entity as Kong keeps it, with all that nobody said.

    Raises:
        Violation: Kong would not take it.
    """
    entity = {**FIELDS[table], **body}
    if table == "plugins":
        entity["config"] = _config(str(body["name"]), body.get("config") or {}, plugins)
    for tag in entity.get("tags") or ():
        if "," in tag or "/" in tag:
            raise Violation(tags=f"invalid tag '{tag}': expected printable ascii or utf-8 without ',' and '/'")
    return entity


def _config(name: str, given: Mapping[str, Any], plugins: tuple[str, ...]) -> dict[str, Any]:
    if name not in plugins:
        raise Violation(name=f"plugin '{name}' not enabled; add it to the 'plugins' configuration property")
    unknown = sorted(set(given) - set(DEFAULTS[name]))
    if unknown:
        raise Violation(**{f"config.{unknown[0]}": "unknown field"})
    config = {**DEFAULTS[name], **given}
    if "redis" in config:
        config["redis"] = {**REDIS, **(given.get("redis") or {})}
    check = {"acl": _acl, "rate-limiting": _simple, "rate-limiting-advanced": _advanced}.get(name)
    if check is not None:
        check(config)
    return config


def _acl(config: dict[str, Any]) -> None:
    if (config["allow"] is None) == (config["deny"] is None):
        raise Violation(config="exactly one of these fields must be non-empty: 'config.allow', 'config.deny'")
    if config["allow"] == []:
        raise Violation(allow="length must be at least 1")


def _simple(config: dict[str, Any]) -> None:
    given = [(period, config[period]) for period in PERIODS if config[period] is not None]
    if not given:
        raise Violation(config="at least one of these fields must be non-empty: 'config.second', 'config.minute', …")
    for period, count in given:
        if isinstance(count, bool) or not isinstance(count, int | float) or count <= 0:
            raise Violation(**{f"config.{period}": "value must be greater than 0"})
    for (lower, small), (upper, large) in combinations(given, 2):
        if large < small:
            raise Violation(
                config=f"The limit for {upper}({large}) cannot be lower than the limit for {lower}({small})"
            )
    _redis(config["policy"], config)


def _advanced(config: dict[str, Any]) -> None:
    if not config["limit"] or len(config["limit"]) != len(config["window_size"] or ()):
        raise Violation(config="You must provide the same number of windows and limits")
    if config["strategy"] != "local" and config["sync_rate"] is None:
        raise Violation(config="sync_rate is required if not using a local strategy")
    config["namespace"] = config["namespace"] or secrets.token_hex(16)
    _redis(config["strategy"], config)


def _redis(policy: str, config: dict[str, Any]) -> None:
    if policy == "redis" and not config["redis"]["host"]:
        raise Violation(config="failed conditional validation given value of field 'config.policy'")
