"""Shorthands for forwarding policies and their rules, as api-v3.md 2.9 and 2.10 write them."""

from __future__ import annotations

from rig.api import Api, Service


def path(kind: str, value: str) -> dict:
    compare = {"exact": "EQUAL_TO", "prefix": "STARTS_WITH", "regex": "REGEX"}[kind]
    return {"type": "PATH", "compare_type": compare, "value": value}


def host(value: str) -> dict:
    return {"type": "HOST_NAME", "compare_type": "EQUAL_TO", "value": value}


def conditions(kind: str, *values: str, key: str = "") -> dict:
    """A rule of the advanced mode: any of the values."""
    pairs = [{"key": key, "value": value} if key else {"value": value} for value in values]
    return {"type": kind, "compare_type": "EQUAL_TO", "value": "", "conditions": pairs}


def add(api: Api, service: Service, action: str, rules=(), **fields) -> dict:
    """A policy with inline rules."""
    return api.create("l7policy", listener_id=service.listener["id"], action=action,
                      rules=list(rules), **fields)


def to_pool(api: Api, service: Service, backend, *rules, **fields) -> dict:
    """A policy that leads to a new pool with this one member."""
    pool = api.make_pool(service.lb["id"])
    api.add_member(pool["id"], backend)
    return add(api, service, "REDIRECT_TO_POOL", rules, redirect_pool_id=pool["id"], **fields)


def fixed(api: Api, service: Service, *rules, status: str = "200", **config) -> dict:
    given = {key: config.pop(key) for key in ("content_type", "message_body") if key in config}
    return add(api, service, "FIXED_RESPONSE", rules,
               fixed_response_config={"status_code": status, **given}, **config)


def to_url(api: Api, service: Service, *rules, status: str = "302", **parts) -> dict:
    return add(api, service, "REDIRECT_TO_URL", rules,
               redirect_url_config={"status_code": status, **parts})
