"""The access log in the vendor's form, and whose requests it holds (data-plane.md 11.1)."""

from __future__ import annotations

import re

import pytest

from conformance.fronts import ask, make_front
from rig import http1, modes
from rig.backend import Backend
from rig.clients import RawClient
from rig.timing import wait_until

SECONDS, IPV4, HEX32 = r"\d+\.\d{3}", r"\d+\.\d+\.\d+\.\d+", "[0-9a-f]{32}"
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
EACH = {  # The fields in their order, of a plain request that was answered.
    "msec": SECONDS, "topic": "-",
    "time": r"\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d\]", "version": "elb_01",
    "remote": rf"{IPV4}:\d+", "status": "200", "request": r'"GET http://a\.test/[^ "]* HTTP/1\.1"',
    "request_length": r"\d+", "bytes_sent": r"\d+", "body_bytes_sent": r"\d+",
    "request_time": SECONDS, "upstream_status": '"200"', "connect": f'"{SECONDS}"',
    "header": f'"{SECONDS}"', "response": f'"{SECONDS}"', "upstream_addr": rf'"{IPV4}:\d+"',
    "agent": '"-"', "referer": '"-"', "forwarded": '"-"', "lb": f"loadbalancer_{UUID}",
    "listener": f"listener_{UUID}", "listener_id": HEX32, "pool": f"pool_{UUID}",
    "member": f'"{UUID}"', "tenant": HEX32, "eip": rf"{IPV4}:\d+", "priv": rf'"{IPV4}:\d+"',
    "certificate": "-", "protocol": "-", "cipher": "-", "sni": "-", "rtt": r"\d+", "custom": "-",
    "head_length": r"\d+", "actions": "-", "reason": "-", "pool_name": '"[^"]*"',
}  # fmt: skip


@pytest.fixture(scope="module")
def vendor():
    """A daemon that logs in the vendor's form."""
    from rig.daemon import Daemon

    running = Daemon()
    running.config["access_log"] = {"file": str(running.access_log.path), "format": "vendor"}
    running.init().start()
    yield running
    running.destroy()


@pytest.fixture(scope="module")
def place(vendor, server_certificates):
    """API, load balancer and certificate of that daemon."""
    api = vendor.api()
    return api, api.make_lb(), api.make_certificate(server_certificates["ec"])


def line_of(running, target: str) -> str:
    def found() -> list[str]:
        path = running.access_log.path
        text = path.read_text() if path.exists() else ""
        return [line for line in text.splitlines() if target in line]

    lines = wait_until(found, 5, f"a line for {target}")
    assert len(lines) == 1
    return lines[0]


def check(line: str, **changed: str) -> None:
    """Every field in its place, and nothing behind the last."""
    pattern = " ".join(f"(?P<{name}>{form})" for name, form in {**EACH, **changed}.items())
    if re.fullmatch(pattern, line):
        return
    known = ""
    for name, form in {**EACH, **changed}.items():
        known += ("" if not known else " ") + form
        assert re.match(known, line), f"{name}: expected {form} in {line}"
    raise AssertionError(line)


TLS = {"certificate": HEX32, "protocol": r"TLSv1\.[23]", "cipher": "[A-Z0-9_-]+"}


@pytest.mark.parametrize("front", ["http", "https", "h2"])
def test_T11_1_an_answered_request(vendor, place, front):
    api, lb, certificate = place
    port = {"http": 9101, "https": 9102, "h2": 9103}[front]
    with Backend("A") as member:
        service = make_front(api, lb, [member], front, certificate, port=port)
        reply = ask(service, front, f"/vendor-{front}")
        assert reply.status == 200
        line = line_of(vendor, f"/vendor-{front}")
    version = r"HTTP/2\.0" if front == "h2" else r"HTTP/1\.1"
    scheme = "http" if front == "http" else "https"
    request = rf'"GET {scheme}://[^ "]+/vendor-{front} {version}"'
    tls = {**TLS, "sni": r"-|[a-z.]+"} if front != "http" else {}
    check(line, request=request, **tls)
    assert service.listener["id"].replace("-", "") in line


def test_T11_1_two_attempts_stand_side_by_side(vendor, place):
    api, lb, _ = place
    with Backend("A", mode=modes.refuse) as gone, Backend("B") as there:
        service = make_front(api, lb, [gone, there], "http", None, port=9104)
        for turn in range(2):
            assert service.get(f"/vendor-retry-{turn}").status == 200
        lines = [line_of(vendor, f"/vendor-retry-{turn}") for turn in range(2)]
    retried = next(line for line in lines if '"502, 200"' in line)
    check(retried, upstream_status='"502, 200"', connect=rf'"{SECONDS}, {SECONDS}"',
          header=rf'"-, {SECONDS}"', response=rf'"{SECONDS}, {SECONDS}"',
          upstream_addr=rf'"{IPV4}:\d+, {IPV4}:\d+"', priv=rf'"{IPV4}:\d+, {IPV4}:\d+"',
          member=rf'"{UUID}, {UUID}"')  # fmt: skip


def test_T11_1_quotes_backslashes_and_bytes_are_escaped(vendor, place):
    api, lb, _ = place
    with Backend("A") as member:
        service = make_front(api, lb, [member], "http", None, port=9105)
        with service.client() as client:
            client.send(http1.request("/vendor-escapes", fields=[
                ("User-Agent", 'a "b" \\ c\td\xe4')]))
            assert client.read_response().status == 200
        line = line_of(vendor, "/vendor-escapes")
    check(line, agent=r'"a \\x22b\\x22 \\x5C c\\x09d\\xE4"')


def test_T11_1_an_answer_of_the_load_balancer(vendor, place):
    api, lb, _ = place
    service = make_front(api, lb, [], "http", None, port=9106)
    assert service.get("/vendor-nobody").status == 503
    check(line_of(vendor, "/vendor-nobody"), status="503", upstream_status='"-"', connect='"-"',
          header='"-"', response='"-"', upstream_addr='"-"', member='"-"', priv='"-"',
          reason="pool_empty_default")  # fmt: skip


def test_T11_1_a_refused_request_has_all_its_fields(vendor, place):
    """What was refused before anybody could look at it: 414."""
    api, lb, _ = place
    with Backend("A") as member:
        service = make_front(api, lb, [member], "http", None, port=9107)
        with RawClient(service.address, service.port) as client:
            client.send(b"GET /vendor-" + b"l" * 70_000 + b" HTTP/1.1\r\nHost: a.test\r\n\r\n")
            assert client.read_response().status == 414
        line = line_of(vendor, "/vendor-lll")
    none = dict.fromkeys(("upstream_status", "connect", "header", "response", "upstream_addr",
                          "member", "priv"), '"-"')  # fmt: skip
    check(line, status="414", request=rf'"GET http://{IPV4}/vendor-l+ -"', request_length="-",
          body_bytes_sent="-", request_time="-", pool="-", head_length="-", reason="[a-z_]+",
          pool_name='"-"', **none)  # fmt: skip


def test_only_load_balancers_with_a_logtank_are_logged_when_asked_for(own_daemon):
    """A logtank switches the log on, its deletion off, from the next request."""
    running = own_daemon()
    running.stop()
    running.config["access_log"] = {"file": str(running.access_log.path),
                                    "loadbalancers": "with_logtank"}  # fmt: skip
    running.start()
    api = running.api()
    lb, other = api.make_lb(), api.make_lb()
    with Backend("A") as member:
        logged = make_front(api, lb, [member], "http", None, port=9108)
        silent = make_front(api, other, [member], "http", None, port=9109)
        logged.get("/before")
        tank = api.create("logtank", loadbalancer_id=lb["id"], log_group_id="group",
                          log_topic_id="topic-1")
        silent.get("/silent")
        logged.get("/during")
        api.delete("logtank", tank["id"])
        logged.get("/after")
        line = running.access_log.wait_for("/during")
    assert line["access_log_topic_id"] == "topic-1"
    running.stop()
    assert [entry["router_request_uri"] for entry in running.access_log.lines()] == ["/during"]
