"""Answers made by the load balancer: status, body, connection (data-plane.md 12, 4.8)."""

from __future__ import annotations

import json

import pytest

from conformance import policy_rows as rows
from conformance.fronts import FRONTS, Asker, Reply, ask, make_front
from rig import http1, modes
from rig.timing import wait_until

TIMEOUTS = {"member_timeout": 1, "client_timeout": 1, "keepalive_timeout": 60}
ALLOW = "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS"

# Status, request bytes, does the connection stay open. One row of 12.1 each.
REFUSED = {
    "400_malformed": (400, b"GET / HTTP/1.1\r\nHost: a\r\nbad field: x\r\n{accept}\r\n", False),
    "400_header_too_large": (400, b"GET / HTTP/1.1\r\nHost: a\r\n{accept}X: " + b"x" * 66000
                             + b"\r\n\r\n", False),
    "405_trace": (405, b"TRACE / HTTP/1.1\r\nHost: a\r\n{accept}\r\n", True),
    "405_connect": (405, b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n{accept}\r\n", False),
    "408_header": (408, b"GET / HTTP/1.1\r\nHost: a\r\n{accept}", False),
    "408_body": (408, b"POST / HTTP/1.1\r\nHost: a\r\n{accept}Content-Length: 9\r\n\r\nab", False),
    "413": (413, b"POST / HTTP/1.1\r\nHost: a\r\n{accept}Content-Length: 10737418241\r\n\r\n",
            False),
    "414": (414, b"GET /" + b"x" * 16384 + b" HTTP/1.1\r\nHost: a\r\n{accept}\r\n", False),
    "417": (417, b"GET / HTTP/1.1\r\nHost: a\r\n{accept}Expect: magic\r\n\r\n", True),
    "417_with_a_body": (417, b"POST / HTTP/1.1\r\nHost: a\r\n{accept}Expect: magic\r\n"
                        b"Content-Length: 5\r\n\r\n", False),
    "501": (501, b"POST / HTTP/1.1\r\nHost: a\r\n{accept}Transfer-Encoding: gzip\r\n\r\n", False),
    "505": (505, b"GET / HTTP/2.0\r\nHost: a\r\n{accept}\r\n", False),
}  # fmt: skip
# Their header is refused or never complete, so the load balancer need not have seen Accept.
UNPARSED = {"400_malformed", "400_header_too_large", "408_header", "414", "505"}
ACCEPTS = {"html": b"Accept: text/html\r\n", "json": b"Accept: application/json\r\n"}


@pytest.fixture(scope="module")
def services(api, module_lb, certificate, module_backend):
    member = module_backend(mode=modes.ok())
    return {front: make_front(api, module_lb, [member], front, certificate, **TIMEOUTS)
            for front in FRONTS}  # fmt: skip


def check_body(status: int, content_type: str, body: bytes, kind: str) -> None:
    if kind == "json":
        assert content_type == "application/json", content_type
        assert json.loads(body)["status"] == status and "error" in json.loads(body)
    else:
        assert content_type == "text/html; charset=utf-8", content_type
        assert str(status).encode() in body and b"<" in body


@pytest.mark.parametrize("front", ["http", "https"])
@pytest.mark.parametrize("kind", ACCEPTS)
@pytest.mark.parametrize("name", REFUSED)
def test_T12_1_refused_requests(services, front, kind, name):
    status, data, stays = REFUSED[name]
    with services[front].client() as client:
        client.send_quietly(data.replace(b"{accept}", ACCEPTS[kind]))
        answer = client.read_response()
        assert answer.status == status and answer.complete
        assert answer.get("server") == "elb" and answer.head.has("date")
        assert answer.get("content-length") == str(len(answer.body))
        seen = "html" if name in UNPARSED else kind
        check_body(status, answer.get("content-type"), answer.body, seen)
        assert answer.get("allow") == (ALLOW if status == 405 else None)
        assert answer.keeps == stays
        if stays:
            assert client.get().status == 200
        else:
            assert client.expect_end().orderly


FAULTS = {  # Mode of the only member, status.
    "502_refused": (modes.refuse, 502), "502_reset": (modes.rst(), 502),
    "502_closed": (modes.close(), 502), "502_malformed": (modes.junk(), 502),
    "502_oversized": (modes.raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 66000 + b"\r\n\r\n"), 502),
    "504_response_timeout": (modes.hang(), 504),
}  # fmt: skip


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("name", FAULTS)
def test_T12_1_faults_of_members_keep_the_connection(api, lb, backend, certificate, front, name):
    mode, status = FAULTS[name]
    service = make_front(api, lb, [backend()], front, certificate, **TIMEOUTS)
    service.backends[0].set(mode)
    with Asker(service, front) as asker:
        for kind, method in (("html", "GET"), ("json", "GET"), ("html", "HEAD")):
            accept = ACCEPTS[kind].decode().strip().partition(": ")[::2]
            reply = asker.ask(f"/{kind}", method=method, fields=[accept])
            check_own(reply, status, kind, method)
            assert asker.client is not None, "the connection was closed"


def check_own(reply: Reply, status: int, kind: str, method: str = "GET") -> None:
    assert reply.status == status and reply.get("server") == "elb" and reply.get("date")
    if method == "HEAD":
        assert reply.body == b"" and int(reply.get("content-length")) > 0
    else:
        check_body(status, reply.get("content-type"), reply.body, kind)


def test_T12_1_a_failed_tls_handshake_with_the_member_is_502(api, lb, backend, certificate):
    member = backend(mode=modes.accept_then_send(b"this is not TLS\r\n"))
    service = api.make_service(lb, [member], certificate=certificate, pool={"protocol": "HTTPS"})
    check_own(ask(service, "https", fields=[("Accept", "application/json")]), 502, "json")


@pytest.mark.parametrize("method, status", [("TRACE", 405), ("CONNECT", 405)])
def test_T12_1_refused_methods_of_http2(services, method, status):
    with Asker(services["h2"], "h2") as asker:
        if method == "CONNECT":  # Neither :scheme nor :path: RFC 9113 section 8.5.
            stream = asker.connect().client.send_headers(
                [(":method", "CONNECT"), (":authority", "a.test:80")], end=False)
            reply = asker.finish(stream)
        else:
            reply = asker.ask(method=method)
        assert (reply.status, reply.get("allow")) == (status, ALLOW)
        assert asker.ask().status == 200


def test_T12_1_a_body_over_10_gb_over_http2(services):
    with Asker(services["h2"], "h2") as asker:
        pseudo = [(":method", "POST"), (":scheme", "https"), (":authority", "a"), (":path", "/")]
        stream = asker.connect().client.send_headers(
            [*pseudo, ("content-length", "10737418241")], end=False)
        assert asker.finish(stream).status == 413
        assert asker.ask().status == 200


def test_T12_1_plain_http_on_a_tls_port_is_400(services):
    from rig.clients import RawClient

    with RawClient(services["https"].address, services["https"].port) as client:
        answer = client.get()
        assert answer.status == 400 and client.expect_end().orderly
        check_body(400, answer.get("content-type"), answer.body, "html")


def upload(asker: Asker) -> Reply:
    """The whole mebibyte is sent before the first byte of the answer is read."""
    asker.connect().client.send_quietly(http1.request("/", "POST", body=b"x" * (1 << 20)))
    return asker.finish(None, "POST")


def upload_h2(asker: Asker) -> Reply:
    """As much of the mebibyte as the first flow-control window allows."""
    client = asker.connect().client
    pseudo = [(":method", "POST"), (":scheme", "https"), (":authority", "a"), (":path", "/")]
    stream = client.send_headers([*pseudo, ("content-length", str(1 << 20))], end=False)
    for _ in range(3):
        client.send_data(stream, b"x" * 16384, end=False)
    return asker.finish(stream)


@pytest.mark.parametrize("front", FRONTS)
def test_T12_2_a_fixed_response_survives_an_unread_megabyte(api, lb, certificate, front):
    service = make_front(api, lb, [], front, certificate, enhance_l7policy_enable=True)
    rows.fixed(api, service, rows.path("prefix", "/"), status="403", message_body="b" * 1000)
    for _ in range(5):
        with Asker(service, front) as asker:
            reply = upload_h2(asker) if front == "h2" else upload(asker)
        assert (reply.status, reply.body, reply.complete) == (403, b"b" * 1000, True)


def router_code(service, front: str) -> tuple[int, str | None]:
    with Asker(service, front) as asker:
        reply = asker.ask()
        assert asker.client is not None, "the connection was closed"
        return reply.status, reply.get("x-router-code")


@pytest.mark.parametrize("front", FRONTS)
def test_T12_3_no_default_pool_or_an_empty_one_is_40000(api, lb, certificate, front):
    service = make_front(api, lb, [], front, certificate)
    assert router_code(service, front) == (503, "40000")
    service.update_listener(default_pool_id=None)
    assert router_code(service, front) == (503, "40000")


@pytest.mark.parametrize("front", FRONTS)
def test_T12_3_a_policy_to_an_empty_pool_is_40001(api, lb, backend, certificate, front):
    service = make_front(api, lb, [backend()], front, certificate)
    empty = api.make_pool(lb["id"])
    rows.add(api, service, "REDIRECT_TO_POOL", [rows.path("prefix", "/")],
             redirect_pool_id=empty["id"])
    assert router_code(service, front) == (503, "40001")


@pytest.mark.parametrize("front", FRONTS)
def test_T12_3_members_not_probed_yet_50001_all_offline_50000(api, lb, backend, certificate, front):
    service = make_front(api, lb, [], front, certificate)
    member = backend()
    member.probe_mode = modes.hang()
    api.add_monitor(service.pool["id"], timeout=3)
    service.members = [api.add_member(service.pool["id"], member)]
    assert router_code(service, front) == (503, "50001")
    wait_until(lambda: service.member_status()["status"][0]["reason"], 20, "a failed probe")
    assert router_code(service, front) == (503, "50000")
    assert member.requests == []
