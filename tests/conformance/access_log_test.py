"""The access log: one line per finished request (data-plane.md 11.1). The node writes the fields as
JSON under their names; values are judged one by one, each by its own pattern."""

from __future__ import annotations

import datetime
import itertools
import json
import re
import time

import pytest

from conformance import policy_rows as rows
from conformance.fronts import FRONTS, Asker, ask, make_front
from rig import http1, modes
from rig.observe import log_status, upstream_values
from rig.timing import check_duration, wait_until

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
SECONDS = r"\d+\.\d{3}"
IPV4 = r"\d+\.\d+\.\d+\.\d+"
NUMBER = r"\d+"
EACH = {  # Of a plain answered HTTP/1.1 request; what the cases change, they say.
    "msec": SECONDS, "access_log_topic_id": "-", "log_ver": "elb_01",
    "time_iso8601": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d",
    "remote_addr": IPV4, "remote_port": NUMBER, "status": "200",
    "request_method": "GET", "scheme": "http", "host": r"a\.test", "server_protocol": r"HTTP/1\.1",
    "request_length": NUMBER, "bytes_sent": NUMBER, "body_bytes_sent": NUMBER,
    "request_time": SECONDS, "upstream_status": "200", "upstream_connect_time": SECONDS,
    "upstream_header_time": SECONDS, "upstream_response_time": SECONDS,
    "upstream_addr": rf"{IPV4}:\d+", "upstream_addr_priv": rf"{IPV4}:\d+",
    "http_user_agent": "-", "http_referer": "-", "http_x_forwarded_for": "-",
    "lb_name": f"loadbalancer_{UUID}", "listener_name": f"listener_{UUID}", "listener_id": UUID,
    "pool_name": f"pool_{UUID}", "member_name": UUID, "tenant_id": "[0-9a-f]{32}",
    "eip_address": IPV4, "eip_port": NUMBER, "certificate_id": "-", "ssl_protocol": "-",
    "ssl_cipher": "-", "sni_domain_name": "-", "tcpinfo_rtt": NUMBER, "self_defined_header": "-",
    "request_header_length": NUMBER, "actions_executed": "-", "error_reason": "-",
    "pool_usr_name": "the pool",
}  # fmt: skip
TLS = {"scheme": "https", "certificate_id": "[0-9a-f]{32}", "ssl_protocol": r"TLSv1\.[23]",
       "ssl_cipher": "[A-Z0-9_-]+"}  # fmt: skip
NO_ATTEMPT = dict.fromkeys(
    ("upstream_status", "upstream_connect_time", "upstream_header_time", "upstream_response_time",
     "upstream_addr", "upstream_addr_priv", "member_name"), "-")  # fmt: skip
_unique = itertools.count()


def unique(word: str) -> str:
    return f"/golden-{word}-{next(_unique)}-"


def golden(daemon, target: str) -> dict:
    """The line of this request with its numbers as they are written."""
    daemon.access_log.wait_for(target)
    raw = [text for text in daemon.access_log.path.read_text().splitlines() if target in text]
    return json.loads(raw[0], parse_float=str)


def check(line: dict, **changed: str) -> None:
    """Every field of the line that is there has its form; attempt values one by one."""
    wrong = {}
    for name, pattern in {**EACH, **changed}.items():
        if name not in line:
            continue  # The test of the names says so.
        values = upstream_values(line, name) if name.startswith("upstream_") else [line[name]]
        if not all(re.fullmatch(pattern, str(value)) for value in values):
            wrong[name] = line[name]
    assert not wrong, wrong


@pytest.fixture
def make(api, lb, backend, certificate):
    ports = itertools.count(22000)

    def build(front: str = "http", *scripted, **more):
        members = [backend() for _ in scripted or (0,)]
        service = make_front(api, lb, members, front, certificate, port=next(ports),
                             member_timeout=1, pool={"name": "the pool"}, **more)
        for member, mode in zip(members, scripted):
            member.set(mode)
        return service

    return build


def test_T11_1_every_field_has_its_name(daemon, make):
    service, target = make(), unique("names")
    service.get(target)
    missing = EACH.keys() - daemon.access_log.wait_for(target).keys()
    assert not missing, " ".join(sorted(missing))


@pytest.mark.parametrize("front", FRONTS)
def test_T11_1_a_plain_200(daemon, lb, make, front):
    service, target = make(front), unique("plain")
    before = time.time()
    fields = [("Referer", "http://r.test/"), ("X-Forwarded-For", "10.1.2.3"), ("User-Agent", "ua")]
    reply = ask(service, front, target + "?q=1", fields=fields)
    line = golden(daemon, target)
    changed = {} if front == "http" else dict(TLS)
    if front == "h2":
        changed["server_protocol"] = r"HTTP/2\.0"
    check(line, **changed, http_referer="http://r\\.test/", http_x_forwarded_for=r"10\.1\.2\.3",
          http_user_agent="ua", router_request_uri=re.escape(target + "?q=1"))
    assert before - 0.01 <= float(line["msec"]) <= time.time() + 0.01
    assert line["lb_name"] == f"loadbalancer_{lb['id']}"
    assert line["listener_id"] == service.listener["id"]
    assert (line["eip_address"], int(line["eip_port"])) == (service.address, service.port)
    assert line["member_name"] == service.members[0]["id"]
    assert line["tenant_id"] == service.lb["project_id"]
    assert int(line["body_bytes_sent"]) == len(reply.body) < int(line["bytes_sent"])


def test_T11_1_lengths_are_exact(daemon, make):
    service, target = make("http", modes.fixed(b"z" * 1234)), unique("lengths")
    data = http1.request(target, "POST", "a.test:8080", body=b"x" * 777)
    with service.client() as client:
        client.send(data)
        answer = client.read_response("POST")
    line = golden(daemon, target)
    assert int(line["request_length"]) == len(data)
    assert int(line["request_header_length"]) == len(data) - 777
    assert int(line["body_bytes_sent"]) == 1234
    assert int(line["bytes_sent"]) == len(answer.head.raw) + 1234
    assert (line["request_method"], line["host"]) == ("POST", "a.test")


def test_T11_1_a_301(api, lb, daemon, make, certificate):
    target_listener = api.create("listener", loadbalancer_id=lb["id"], protocol="HTTPS",
                                 protocol_port=443, default_tls_container_ref=certificate["id"])
    service, target = make(), unique("moved")
    rows.add(api, service, "REDIRECT_TO_LISTENER", redirect_listener_id=target_listener["id"])
    assert service.get(target).status == 301
    check(golden(daemon, target), status="301", pool_usr_name="-", pool_name="-",
          **NO_ATTEMPT)


@pytest.mark.parametrize("front", FRONTS)
def test_T11_1_a_fixed_response(api, daemon, make, front):
    service, target = make(front, enhance_l7policy_enable=True), unique("fixed")
    rows.fixed(api, service, rows.path("prefix", target), status="418", message_body="teapot")
    assert ask(service, front, target).status == 418
    line = golden(daemon, target)
    changed = {} if front == "http" else dict(TLS)
    if front == "h2":
        changed["server_protocol"] = r"HTTP/2\.0"
    check(line, status="418", body_bytes_sent="6", pool_usr_name="-", pool_name="-", **changed,
          **NO_ATTEMPT)


@pytest.mark.parametrize("front", FRONTS)
def test_T11_1_a_retry_has_two_attempts(daemon, make, front):
    service = make(front, modes.hang(), modes.ok())
    while True:
        target = unique("retry")
        assert ask(service, front, target).status == 200
        line = golden(daemon, target)
        if len(upstream_values(line, "upstream_status")) == 2:
            break
    assert upstream_values(line, "upstream_status") == ["504", "200"]
    check_duration(float(upstream_values(line, "upstream_response_time")[0]), 1.0)
    assert upstream_values(line, "upstream_header_time")[0] == "-"
    addresses = [f"{member.address}:{member.port}" for member in service.backends]
    assert upstream_values(line, "upstream_addr") == addresses
    assert upstream_values(line, "member_name") == [member["id"] for member in service.members]


def test_T11_1_a_499(daemon, make):
    service, target = make("http", modes.hang()), unique("left")
    with service.client() as client:
        client.send(http1.request(target))
        service.backends[0].wait_for_requests(1)
    line = golden(daemon, target)
    check(line, status="499", error_reason="client_closed", upstream_status="-", bytes_sent="0",
          body_bytes_sent="0", upstream_header_time="-", upstream_response_time=f"{SECONDS}|-")


def test_T11_1_a_504(daemon, make):
    service, target = make("http", modes.hang(), enable_member_retry=False), unique("timeout")
    assert service.get(target).status == 504
    check(golden(daemon, target), status="504", error_reason="member_timeout",
          upstream_status="504", upstream_header_time="-")


@pytest.mark.parametrize("front", ["http", "https"])
def test_T11_1_a_websocket_is_one_line_with_101(daemon, make, front):
    service, target = make(front, modes.websocket_echo()), unique("socket")
    fields = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
              ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]  # fmt: skip
    with service.client() as client:
        assert client.get(target, fields=fields).status == 101
        for _ in range(3):
            client.send(b"\x82\x85\0\0\0\0hello")
            assert b"".join(client.reader.take(7)) == b"\x82\x05hello"
        assert daemon.access_log.matching(lambda line: target in str(line)) == []
    line = golden(daemon, target)
    check(line, status="101", upstream_status="101", **({} if front == "http" else TLS))
    assert int(line["bytes_sent"]) >= 3 * 7


def test_T11_1_quotes_and_control_bytes_are_escaped(daemon, make):
    """Backslash and quote survive JSON; bytes from 0x7F on are escaped too, and no line breaks."""
    service, target = make(), unique("escapes")
    with service.client() as client:
        raw = b'GET %s HTTP/1.1\r\nHost: a.test\r\nUser-Agent: a"b\\n\t\xe9\x7e\r\n\r\n'
        assert client.exchange(raw % target.encode()).status == 200
    daemon.access_log.wait_for(target)
    text = daemon.access_log.path.read_bytes()
    (line,) = [line for line in text.split(b"\n") if target.encode() in line]
    assert all(0x20 <= byte < 0x7F for byte in line)
    parsed = daemon.access_log.wait_for(target)["http_user_agent"]
    assert parsed in ('a"b\\n\t\xe9~', r"a\x22b\x5Cn\x09\xE9~")


def test_T11_1_sni_and_time(daemon, make):
    service, target = make("https"), unique("sni")
    with service.client(name="x.a.test") as client:
        assert client.get(target).status == 200
    line = golden(daemon, target)
    check(line, **TLS, sni_domain_name=r"x\.a\.test")
    if "time_iso8601" in line:
        moment = datetime.datetime.fromisoformat(line["time_iso8601"]).timestamp()
        assert abs(moment - float(line["msec"])) <= 1


def reject_lines(daemon, target: str) -> list[str]:
    return [line for line in daemon.log_text.splitlines() if target in line]


@pytest.mark.parametrize("front", ["http", "https"])
def test_T11_2_a_malformed_request_is_counted_and_in_the_reject_log(daemon, make, front):
    service, bad, good = make(front), unique("malformed"), unique("fine")
    with service.client() as client:
        client.send(b"GET %s HTTP/1.1\r\nHost: a\r\nbad name: x\r\n\r\n" % bad.encode())
        assert client.read_response().status == 400
    assert service.get(good).status == 200
    daemon.access_log.wait_for(good)
    assert daemon.access_log.matching(lambda line: bad in str(line)) == []
    labels = {"lbaas_listener_id": service.listener["id"]}
    metrics = daemon.metrics()
    assert metrics.total("elb_me_l7_http_4xx", **labels) == 1
    assert metrics.total("elb_elb_http_400", **labels) == 1
    assert metrics.total("elb_mb_l7_qps", **labels) == 2
    (line,) = wait_until(lambda: reject_lines(daemon, bad), 5, "a line of the reject log")
    assert "malformed_request" in line and service.listener["id"] in line
    assert len(line) <= 256 * 4 + 400


@pytest.mark.parametrize("front", FRONTS)
def test_T11_2_a_400_of_a_backend_is_logged(daemon, make, front):
    service, target = make(front, modes.status(400)), unique("backend-400")
    assert ask(service, front, target).status == 400
    line = golden(daemon, target)
    assert log_status(line) == 400 and upstream_values(line, "upstream_status") == ["400"]


def test_11_1_the_log_is_complete_within_a_second_and_rotates_by_rename(daemon, make):
    service = make()
    targets = [unique("rotated") for _ in range(60)]
    parts = []
    with Asker(service, "http") as asker:
        for number, target in enumerate(targets):
            asker.ask(target)
            if number in (20, 40):
                wait_until(daemon.access_log.path.exists, 5, "the file")
                moved = daemon.access_log.path.with_suffix(f".{number}")
                daemon.access_log.path.rename(moved)
                parts.append(moved)

    def found() -> bool:
        paths = [*parts, daemon.access_log.path]
        text = "".join(path.read_text() for path in paths if path.exists())
        return all(text.count(f'"{target}"') == 1 for target in targets)

    wait_until(found, 5, "each line once in one of the files")
