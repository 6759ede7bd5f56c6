"""A thin client of the management API, and one-call builders of whole services."""

from __future__ import annotations

import itertools
import re
import threading
from dataclasses import dataclass, field
from typing import Any, Iterable

import pytest
import requests

from rig.backend import Backend
from rig.certs import Issued

PATHS = {
    "loadbalancer": "loadbalancers",
    "listener": "listeners",
    "pool": "pools",
    "healthmonitor": "healthmonitors",
    "certificate": "certificates",
    "ipgroup": "ipgroups",
    "security_policy": "security-policies",
    "l7policy": "l7policies",
    "flavor": "flavors",
    "logtank": "logtanks",
}
PLURALS = {"security_policy": "security_policies", "l7policy": "l7policies"}
CALL_TIMEOUT = 60.0
# What the contract has and the daemon does not serve yet: tests that need it are skipped with this
# reason, not failed. Entries go when the resource comes.
NOT_SERVED_YET: dict[str, str] = {}


def skip_if_not_served(path: str) -> None:
    for pattern, what in NOT_SERVED_YET.items():
        if re.match(pattern, path):
            pytest.skip(f"not served yet: {what}")


def plural(kind: str) -> str:
    return PLURALS.get(kind, kind + "s")


@dataclass
class Answer:
    """What a call returned. `body` is the parsed JSON, None without a body."""

    status: int
    body: Any
    headers: requests.structures.CaseInsensitiveDict

    @property
    def error_code(self) -> str | None:
        return self.body.get("error_code") if isinstance(self.body, dict) else None

    def expect(self, status: int) -> "Answer":
        assert self.status == status, f"expected {status}, got {self.status}: {self.body}"
        return self

    def expect_error(self, status: int, code: str) -> "Answer":
        """An error as in api-v3.md 1.9.1; `code` with or without its `ELB.` prefix."""
        assert self.status == status, f"expected {status} {code}, got {self.status}: {self.body}"
        whole = code if "." in code else f"ELB.{code}"
        assert self.error_code == whole, f"expected {whole}: {self.body}"
        assert {"error_code", "error_msg", "request_id"} <= set(self.body), self.body
        assert self.headers["content-type"].startswith("application/json")
        return self


class Api:
    """Calls on one project. Thread-safe: each thread has its own connection."""

    def __init__(self, origin: str, user: str, password: str, project: str = "eu-de"):
        self.origin = origin
        self.user, self.password, self.project_name = user, password, project
        self.token: str | None = None
        self.project_id: str | None = None
        self._local = threading.local()
        self._names = itertools.count()

    @property
    def session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.trust_env = False
        return self._local.session

    def raw(self, method: str, path: str, **more) -> Answer:
        """A call without token on any path."""
        more.setdefault("timeout", CALL_TIMEOUT)
        reply = self.session.request(method, self.origin + path, **more)
        body = reply.json() if reply.content and "json" in reply.headers["content-type"] else None
        return Answer(reply.status_code, body, reply.headers)

    def password_identity(self, password: str | None = None, scope: Any = "default") -> dict:
        user = {"name": self.user, "password": password or self.password,
                "domain": {"name": "default"}}
        auth: dict = {"identity": {"methods": ["password"], "password": {"user": user}}}
        if scope == "default":
            scope = {"project": {"name": self.project_name, "domain": {"name": "default"}}}
        if scope is not None:
            auth["scope"] = scope
        return {"auth": auth}

    def login(self) -> "Api":
        answer = self.raw("POST", "/v3/auth/tokens", json=self.password_identity()).expect(201)
        self.token = answer.headers["X-Subject-Token"]
        self.project_id = answer.body["token"]["project"]["id"]
        return self

    # --- calls ----------------------------------------------------------------------------------

    @property
    def base(self) -> str:
        return f"/v3/{self.project_id}/elb/"

    def call(self, method: str, path: str, body: Any = None, **more) -> Answer:
        """A call with token; `path` is relative to the project's base unless it starts with /."""
        headers = {"X-Auth-Token": self.token or "", **more.pop("headers", {})}
        if body is not None:
            more["json"] = body
        whole = path if path.startswith("/") else self.base + path
        answer = self.raw(method, whole, headers=headers, **more)
        if answer.status in (404, 405):
            skip_if_not_served(path)
        return answer

    def path(self, kind: str, id: str | None = None, pool: str | None = None) -> str:
        if kind == "member":
            base = f"pools/{pool}/members" if pool else "members"
        else:
            base = PATHS[kind]
        return f"{base}/{id}" if id else base

    def try_create(self, kind: str, pool: str | None = None, **fields) -> Answer:
        return self.call("POST", self.path(kind, pool=pool), {kind: fields})

    def create(self, kind: str, pool: str | None = None, **fields) -> dict:
        return self.try_create(kind, pool, **fields).expect(201).body[kind]

    def try_update(self, kind: str, id: str, fields: dict, pool: str | None = None, **more):
        return self.call("PUT", self.path(kind, id, pool), {kind: fields}, **more)

    def update(self, kind: str, id: str, pool: str | None = None, **fields) -> dict:
        return self.try_update(kind, id, fields, pool).expect(200).body[kind]

    def try_show(self, kind: str, id: str, pool: str | None = None) -> Answer:
        return self.call("GET", self.path(kind, id, pool))

    def show(self, kind: str, id: str, pool: str | None = None) -> dict:
        return self.try_show(kind, id, pool).expect(200).body[kind]

    def try_list(self, kind: str, pool: str | None = None, **params) -> Answer:
        return self.call("GET", self.path(kind, pool=pool), params=params)

    def list(self, kind: str, pool: str | None = None, **params) -> list[dict]:
        return self.try_list(kind, pool, **params).expect(200).body[plural(kind)]

    def try_delete(self, kind: str, id: str, pool: str | None = None, **more) -> Answer:
        return self.call("DELETE", self.path(kind, id, pool), **more)

    def delete(self, kind: str, id: str, pool: str | None = None) -> None:
        self.try_delete(kind, id, pool).expect(204)

    # --- builders -------------------------------------------------------------------------------

    def default_subnet(self) -> dict:
        """The first subnet of the node's configuration (VPC stub, api-v3.md 4.5)."""
        path = f"/network/v1/{self.project_id}/subnets"
        return self.call("GET", path).expect(200).body["subnets"][0]

    def make_lb(self, **fields) -> dict:
        """A dedicated load balancer with an address of its own and "IP as a backend" enabled."""
        fields.setdefault("name", f"lb-{next(self._names)}")
        fields.setdefault("availability_zone_list", ["eu-de-01"])
        fields.setdefault("vip_subnet_cidr_id", self.default_subnet()["neutron_subnet_id"])
        fields.setdefault("ip_target_enable", True)
        return self.create("loadbalancer", **fields)

    def drop_lb(self, id: str) -> None:
        """Deletes a load balancer with everything beneath it."""
        self.call("DELETE", f"loadbalancers/{id}/force-elb").expect(204)

    def make_certificate(self, issued: Issued, **fields) -> dict:
        return self.create(
            "certificate", certificate=issued.chain_pem, private_key=issued.key_pem, **fields
        )

    def make_pool(self, lb_id: str, **fields) -> dict:
        fields = {"protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN", **fields}
        return self.create("pool", loadbalancer_id=lb_id, **fields)

    def add_member(self, pool_id: str, backend: Backend, **fields) -> dict:
        fields.setdefault("name", backend.name)
        return self.create(
            "member", pool_id, address=backend.address, protocol_port=backend.port, **fields
        )

    def add_monitor(self, pool_id: str, **fields) -> dict:
        given = {"type": "HTTP", "delay": 1, "timeout": 1, "max_retries": 1,
                 "max_retries_down": 1, **fields}
        return self.create("healthmonitor", pool_id=pool_id, **given)

    def make_service(
        self,
        lb: dict,
        backends: Iterable[Backend] = (),
        *,
        port: int = 8080,
        certificate: dict | None = None,
        pool: dict | None = None,
        weights: Iterable[int] | None = None,
        **listener,
    ) -> "Service":
        """A pool with these members and a listener in front of it; HTTPS with a certificate.

        `pool`: fields of the pool; other fields go to the listener."""
        backends = list(backends)
        made_pool = self.make_pool(lb["id"], **(pool or {}))
        each = list(weights) if weights is not None else [1] * len(backends)
        members = [
            self.add_member(made_pool["id"], backend, weight=weight)
            for backend, weight in zip(backends, each)
        ]
        if certificate:
            listener.setdefault("default_tls_container_ref", certificate["id"])
        listener.setdefault("protocol", "HTTPS" if certificate else "HTTP")
        made = self.create("listener", loadbalancer_id=lb["id"], protocol_port=port,
                           default_pool_id=made_pool["id"], **listener)
        return Service(self, lb, made, made_pool, members, backends)


@dataclass
class Service:
    """A listener with its pool; what most tests talk to."""

    api: Api
    lb: dict
    listener: dict
    pool: dict
    members: list[dict]
    backends: list[Backend] = field(default_factory=list)

    @property
    def address(self) -> str:
        return self.lb["vip_address"]

    @property
    def port(self) -> int:
        return self.listener["protocol_port"]

    @property
    def is_tls(self) -> bool:
        return self.listener["protocol"] in ("HTTPS", "TERMINATED_HTTPS")

    @property
    def scheme(self) -> str:
        return "https" if self.is_tls else "http"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.address}:{self.port}"

    def client(self, **more):
        """A connected raw client; TLS when the listener is."""
        from rig.clients import RawClient

        if self.is_tls:
            more.setdefault("tls", True)
        return RawClient(self.address, self.port, **more)

    def h2(self, **more):
        """A connected HTTP/2 client."""
        from rig.h2client import H2Client

        return H2Client(self.address, self.port, **more)

    def get(self, target: str = "/", **more):
        """One GET (or `method`) on a connection of its own."""
        with self.client() as client:
            return client.get(target, **more)

    def update_listener(self, **fields) -> None:
        self.listener = self.api.update("listener", self.listener["id"], **fields)

    def update_pool(self, **fields) -> None:
        self.pool = self.api.update("pool", self.pool["id"], **fields)

    def set_weight(self, index: int, weight: int) -> None:
        self.api.update("member", self.members[index]["id"], self.pool["id"], weight=weight)

    def member_status(self, index: int = 0) -> dict:
        return self.api.show("member", self.members[index]["id"], self.pool["id"])

    def counts(self, targets: Iterable[str]) -> list[int]:
        """How many requests with one of these targets each backend has seen."""
        wanted = set(targets)
        return [sum(r.target in wanted for r in backend.requests) for backend in self.backends]
