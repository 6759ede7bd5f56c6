"""The rule of configuration changes: nothing is dropped, cut or misrouted (data-plane.md 13)."""

from __future__ import annotations

import itertools
import re
import subprocess
import threading
from dataclasses import dataclass
from typing import ClassVar

import pytest

from conformance import policy_rows as rows
from conformance.fronts import FRONTS, Asker, ask, make_front
from rig import http1, modes
from rig.clients import RawClient
from rig.load import NginxMember, Wrk
from rig.parallel import concurrently
from rig.timing import FULL, LATE, now

SECONDS = 60 if FULL else 20
UPGRADE = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
           ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]  # fmt: skip


class H2Load:
    """h2load for a fixed time; `stop` waits for its end and returns what failed."""

    def __init__(self, origin: str, seconds: int):
        self.process = subprocess.Popen(
            ["h2load", "-c", "4", "-m", "8", "-D", str(seconds), origin + "/load"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def stop(self) -> tuple[int, str]:
        text, _ = self.process.communicate(timeout=120)
        counts = re.search(r"(\d+) total.* (\d+) failed, (\d+) errored, (\d+) timeout", text)
        codes = re.search(r"(\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", text)
        assert counts and codes and int(codes[1]) > 100, text
        bad = [*counts.groups()[1:], *codes.groups()[1:]]
        return sum(map(int, bad)), text


def new_connections(daemon, service, stop: threading.Event) -> int:
    """A new connection for each request until told to stop; returns how many."""
    for count in itertools.count(1):
        status = service.get(f"/new-{count}-").status
        assert status == 200, daemon.access_log.wait_for(f"/new-{count}-")
        if stop.is_set():
            return count


def websocket(service, stop: threading.Event) -> int:
    """One WebSocket that echoes until told to stop, then is closed in order."""
    with service.client() as client:
        assert client.get("/socket", fields=UPGRADE).status == 101
        for count in itertools.count(1):
            client.send(b"\x82\x85\0\0\0\0hello")
            assert b"".join(client.reader.take(7)) == b"\x82\x05hello"
            if stop.is_set():
                return count
            stop.wait(0.02)


@dataclass
class Changes:
    """One change of each row of the table, over and over, on the services under load."""

    api: object
    services: dict
    spare: object  #: A member that answers and is in no pool yet.
    issued: list
    certificate: dict
    turn: int = 0

    GROUPS: ClassVar = {
        "listeners_and_groups": ["listeners", "names", "timeouts", "tls", "headers", "pool",
                                 "members", "monitor", "default_pool"],
        "rules_and_lists": ["policies", "ip_lists", "security_policies"],
    }  # fmt: skip

    def run(self, group: str, until: float) -> int:
        while now() < until:
            for step in self.GROUPS[group]:
                getattr(self, step)()
            self.turn += 1
        return self.turn

    @property
    def odd(self) -> bool:
        return self.turn % 2 == 1

    def listeners(self) -> None:
        """A listener comes, serves at once, and goes."""
        lb = self.services["http"].lb
        service = self.api.make_service(lb, [self.spare], port=30000 + self.turn % 20000)
        assert service.get("/spare").status == 200
        self.api.call("DELETE", f"listeners/{service.listener['id']}/force").expect(204)

    def names(self) -> None:
        for service in self.services.values():
            service.update_listener(name=f"n{self.turn}", description=f"d{self.turn}")

    def timeouts(self) -> None:
        for service in self.services.values():
            service.update_listener(keepalive_timeout=60 + self.turn % 7, client_timeout=50,
                                    member_timeout=50 + self.turn % 3)

    def tls(self) -> None:
        wanted = self.issued[self.turn % 2]
        self.api.update("certificate", self.certificate["id"], certificate=wanted.chain_pem,
                        private_key=wanted.key_pem)
        policies = ("tls-1-2", "tls-1-0-with-1-3")
        self.services["https"].update_listener(tls_ciphers_policy=policies[self.turn % 2],
                                               http2_enable=self.odd)

    def headers(self) -> None:
        flags = {"X-Real-IP": self.odd, "X-Forwarded-Port": not self.odd}
        for service in self.services.values():
            service.update_listener(insert_headers=flags)

    def pool(self) -> None:
        algorithm = ("LEAST_CONNECTIONS", "SOURCE_IP", "ROUND_ROBIN")[self.turn % 3]
        for service in self.services.values():
            service.update_pool(lb_algorithm=algorithm)
        if algorithm == "ROUND_ROBIN":
            for sticky in ({"type": "HTTP_COOKIE"}, None):
                self.services["http"].update_pool(session_persistence=sticky)
            self.services["http"].update_pool(slow_start={"enable": self.odd, "duration": 30})

    def members(self) -> None:
        for service in self.services.values():
            made = self.api.add_member(service.pool["id"], self.spare, weight=5)
            self.api.update("member", made["id"], service.pool["id"], weight=0)
            self.api.update("member", made["id"], service.pool["id"], weight=7)
            self.api.delete("member", made["id"], service.pool["id"])
            service.set_weight(0, self.turn % 100 + 1)

    def monitor(self) -> None:
        for service in self.services.values():
            made = self.api.add_monitor(service.pool["id"], type="TCP", timeout=20)
            self.api.update("healthmonitor", made["id"], delay=2, type="HTTP")
            self.api.delete("healthmonitor", made["id"])

    def default_pool(self) -> None:
        service = self.services["http"]
        other = self.api.make_pool(service.lb["id"])
        self.api.add_member(other["id"], self.spare)
        service.update_listener(default_pool_id=other["id"])
        service.update_listener(default_pool_id=service.pool["id"])
        member = self.api.list("member", other["id"])[0]
        self.api.delete("member", member["id"], other["id"])
        self.api.delete("pool", other["id"])

    def policies(self) -> None:
        """Policies, rules and priorities that match none of the requests."""
        for service in self.services.values():
            made = [rows.fixed(self.api, service, rows.path("exact", f"/never-{number}"),
                               status="403", priority=number + 1) for number in range(2)]
            swapped = [{"id": made[0]["id"], "priority": 2}, {"id": made[1]["id"], "priority": 1}]
            self.api.call("POST", "l7policies/batch-update-priority",
                          {"l7policies": swapped}).expect(202)
            rule = f"l7policies/{made[0]['id']}/rules/{made[0]['rules'][0]['id']}"
            self.api.call("PUT", rule, {"rule": {"value": "/never-more"}}).expect(200)
            for policy in made:
                self.api.delete("l7policy", policy["id"])

    def ip_lists(self) -> None:
        """A black list without the clients: bound, changed, suspended, unbound."""
        group = self.api.create("ipgroup", ip_list=[{"ip": "192.0.2.0/24"}])
        for service in self.services.values():
            service.update_listener(ipgroup={"ipgroup_id": group["id"], "type": "black"})
        self.api.update("ipgroup", group["id"], ip_list=[{"ip": f"10.0.0.{self.turn % 250}"}])
        for service in self.services.values():
            service.update_listener(ipgroup={"enable_ipgroup": False})
            service.update_listener(ipgroup=None)
        self.api.delete("ipgroup", group["id"])

    def security_policies(self) -> None:
        ciphers = ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
                   "TLS_AES_128_GCM_SHA256"]  # fmt: skip
        made = self.api.create("security_policy", protocols=["TLSv1.2"], ciphers=ciphers)
        for front in ("https", "h2"):
            self.services[front].update_listener(security_policy_id=made["id"])
        self.api.update("security_policy", made["id"], protocols=["TLSv1.2", "TLSv1.3"])
        for front in ("https", "h2"):
            self.services[front].update_listener(security_policy_id=None)
        self.api.delete("security_policy", made["id"])


@pytest.mark.slow
@pytest.mark.parametrize("group", Changes.GROUPS)
def test_T13_1_no_change_harms_traffic(own_daemon, ca, backend, group):
    """Keep-alive, new connections, HTTP/2 and a WebSocket while every row of the table is looped
    over: no error, no unexpected status, no reset. 60 s with ELB_FULL=1."""
    running = own_daemon(release=True)
    api, socket_member = running.api(), backend(mode=modes.websocket_echo())
    issued = [ca.issue("a.test", key=kind) for kind in ("ec", "rsa")]
    certificate = api.make_certificate(issued[0])
    lb, stop = api.make_lb(), threading.Event()
    with NginxMember("A") as one, NginxMember("B") as other, NginxMember("C") as spare:
        services = {front: make_front(api, lb, [one, other], front, certificate,
                                      enhance_l7policy_enable=True) for front in FRONTS}
        sockets = make_front(api, lb, [socket_member], "http", certificate, port=8099)
        changes = Changes(api, services, spare, issued, certificate)
        loads = [Wrk(services["http"].origin, 8), Wrk(services["https"].origin, 8)]
        streams = H2Load(services["h2"].origin, SECONDS)

        def change() -> int:
            try:
                return changes.run(group, now() + SECONDS)
            finally:
                stop.set()

        try:
            turns, news, echoes = concurrently(
                change, lambda: new_connections(running, services["https"], stop),
                lambda: websocket(sockets, stop))
        finally:
            results = [load.stop() for load in loads]
            failed, text = streams.stop()
    assert turns >= 2 and news >= 10 and echoes >= 10, (turns, news, echoes)
    for result in results:
        assert (result.failed, result.socket_errors) == (0, 0), result.text
    assert failed == 0, text


@pytest.mark.slow
@pytest.mark.parametrize("front", FRONTS)
def test_T13_2_an_idle_connection_outlives_its_listener(api, lb, backend, certificate, front):
    """Force delete; a request 10 s later is answered, and the answer closes."""
    service = make_front(api, lb, [backend()], front, certificate, keepalive_timeout=60)
    with Asker(service, front) as asker:
        assert asker.ask("/before").status == 200
        api.call("DELETE", f"listeners/{service.listener['id']}/force").expect(204)
        with pytest.raises(ConnectionRefusedError):
            RawClient(service.address, service.port)
        assert api.try_show("pool", service.pool["id"]).status == 404
        threading.Event().wait(10.0)  # The case's own pause.
        reply = asker.ask("/after")
        assert reply.status == 200
        if front == "h2":
            asker.client.read_until_end()
            assert asker.client.goaway and asker.client.goaway.error_code == 0
        else:
            assert reply.closes
    assert service.backends[0].targets == ["/before", "/after"]


@pytest.mark.parametrize("front", FRONTS)
def test_T13_2_a_request_in_flight_outlives_its_listener(api, lb, backend, certificate, front):
    gate = threading.Event()
    service = make_front(api, lb, [backend(mode=modes.held(gate))], front, certificate)
    with Asker(service, front) as asker:
        stream = asker.start("/flight")
        service.backends[0].wait_for_requests(1)
        api.call("DELETE", f"listeners/{service.listener['id']}/force").expect(204)
        gate.set()
        reply = asker.finish(stream)
        assert (reply.status, reply.complete) == (200, True)
        if front == "h2":
            asker.client.read_until_end()
            assert asker.client.goaway and asker.client.goaway.error_code == 0
        else:
            assert reply.closes


def test_13_an_idle_connection_of_a_deleted_listener_ends_by_its_idle_timeout(api, lb, backend):
    service = api.make_service(lb, [backend()], keepalive_timeout=2)
    with service.client() as client:
        before = now()
        assert client.get().status == 200
        api.call("DELETE", f"listeners/{service.listener['id']}/force").expect(204)
        end = client.expect_end()
        assert end.orderly and 2.0 <= end.at - before <= 2.0 + 2 * LATE


@pytest.mark.parametrize("front", FRONTS)
def test_T13_3_writes_are_read_at_once(api, lb, backend, certificate, front):
    """(1,1) to (1,0), then 100 requests at once: all to the first."""
    members = [backend(), backend()]
    service = make_front(api, lb, members, front, certificate)
    with Asker(service, front) as asker:
        for _ in range(4):
            assert asker.ask().status == 200
        service.set_weight(1, 0)
        names = {asker.ask().json()["id"] for _ in range(50)}
    names |= {ask(service, front).json()["id"] for _ in range(50)}
    assert names == {members[0].name}


def test_13_timeouts_count_for_timers_armed_afterwards(api, lb, backend):
    service = api.make_service(lb, [backend()], keepalive_timeout=3)
    with service.client() as client:
        before = now()
        assert client.get().status == 200
        service.update_listener(keepalive_timeout=60)
        assert 3.0 - 0.01 <= client.expect_end().at - before <= 3.0 + 2 * LATE
    with service.client() as client:
        client.exchange(http1.request())
        client.expect_silence(3.5)
