"""A dedicated or a shared load balancer with all beneath it, for tables that hold for both."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any, Callable

from rig.api import Answer, Api, Service
from rig.backend import Backend

KINDS = ("dedicated", "shared")


@dataclass
class Site:
    """`code` picks the error of this kind of load balancer: dedicated, shared."""

    api: Api
    kind: str
    lb: dict
    certificate: dict
    make_backend: Callable[..., Backend]
    subnet: str
    ports: itertools.count = field(default_factory=lambda: itertools.count(9000))

    @property
    def shared(self) -> bool:
        return self.kind == "shared"

    def code(self, dedicated: str, shared: str | None = None) -> str:
        return shared if self.shared and shared else dedicated

    def expect(self, answer: Answer, status: int, code: str) -> Answer:
        """`code` may be two of them, as in "8902 9899": the contract's tables name either."""
        whole = answer.error_code or ""
        named = code.split()
        wanted = whole.removeprefix("ELB.") if whole.removeprefix("ELB.") in named else named[0]
        return answer.expect_error(status, wanted)

    # --- listeners ------------------------------------------------------------------------------

    def listener_fields(self, **fields) -> dict:
        given = {"loadbalancer_id": self.lb["id"], "protocol": "HTTPS",
                 "protocol_port": next(self.ports),
                 "default_tls_container_ref": self.certificate["id"], **fields}
        return {key: value for key, value in given.items() if value is not ...}

    def listener(self, **fields) -> dict:
        return self.api.create("listener", **self.listener_fields(**fields))

    def refuse_listener(self, status: int, code: str, **fields) -> Answer:
        given = self.listener_fields(**fields)
        return self.expect(self.api.try_create("listener", **given), status, code)

    # --- groups ---------------------------------------------------------------------------------

    def pool_fields(self, **fields) -> dict:
        given = {"loadbalancer_id": self.lb["id"], "protocol": "HTTP",
                 "lb_algorithm": "ROUND_ROBIN", **fields}
        return {key: value for key, value in given.items() if value is not ...}

    def pool(self, **fields) -> dict:
        return self.api.create("pool", **self.pool_fields(**fields))

    def refuse_pool(self, status: int, code: str, **fields) -> Answer:
        given = self.pool_fields(**fields)
        return self.expect(self.api.try_create("pool", **given), status, code)

    @property
    def member_address(self) -> str:
        """In the load balancer's subnet, beyond what VIPs will take."""
        return self.lb["vip_address"].rsplit(".", 2)[0] + ".201.1"

    def backend(self, name: str | None = None, **options) -> Backend:
        return self.make_backend(name, address=self.member_address, **options)

    def member(self, pool: dict, backend: Backend, **fields) -> dict:
        return self.api.add_member(pool["id"], backend, subnet_cidr_id=self.subnet, **fields)

    # --- together -------------------------------------------------------------------------------

    def service(self, *modes, pool: dict | None = None, weights=None, **listener) -> Service:
        """An HTTPS service with a member for each mode."""
        made = self.pool(**(pool or {}))
        members, backends = [], []
        for index, mode in enumerate(modes):
            backend = self.backend()
            weight = weights[index] if weights else 1
            members.append(self.member(made, backend, weight=weight))
            backend.set(mode)
            backends.append(backend)
        front = self.listener(default_pool_id=made["id"], **listener)
        return Service(self.api, self.lb, front, made, members, backends)

    # --- health ---------------------------------------------------------------------------------

    def monitor_fields(self, pool: dict, **fields) -> dict[str, Any]:
        given = {"pool_id": pool["id"], "type": "HTTP", "delay": 1, "timeout": 1,
                 "max_retries": 1, "max_retries_down": 1, **fields}
        return {key: value for key, value in given.items() if value is not ...}

    def monitor(self, pool: dict, **fields) -> dict:
        return self.api.create("healthmonitor", **self.monitor_fields(pool, **fields))

    def refuse_monitor(self, pool: dict, code: str, **fields) -> Answer:
        given = self.monitor_fields(pool, **fields)
        return self.api.try_create("healthmonitor", **given).expect_error(400, code)


def make_site(api: Api, kind: str, certificate: dict, make_backend) -> Site:
    subnet = api.default_subnet()["neutron_subnet_id"]
    if kind == "shared":
        lb = api.make_lb(guaranteed=False, ip_target_enable=False)
    else:
        lb = api.make_lb()
    return Site(api, kind, lb, certificate, make_backend, subnet)
