"""Which HTTP/1 requests are accepted; refused ones reach nobody (data-plane.md 4.2, 4.3)."""

from __future__ import annotations

import itertools

import pytest

from conformance.request_rows import (
    ACCEPTED,
    HOST,
    METHODS_ALLOWED,
    REFUSED,
    SMUGGLED,
    Accepted,
    Refused,
)
from rig import http1, modes
from rig.clients import RawClient
from rig.timing import now

_unique = itertools.count()


@pytest.fixture(scope="module")
def services(api, module_lb, certificate, module_backend):
    """An HTTP and an HTTPS listener with the same member behind."""
    member = module_backend()
    return {
        "http": api.make_service(module_lb, [member], port=8080),
        "https": api.make_service(module_lb, [member], port=8443, certificate=certificate),
    }


@pytest.fixture(params=["http", "https"])
def service(services, request):
    made = services[request.param]
    made.backends[0].set(modes.ok())
    made.backends[0].clear()
    return made


def check_nothing_reached(service, row: Refused) -> None:
    """A later request arrives; of the refused one there is at most the head of a bad body."""
    sentinel = f"/sentinel{next(_unique)}"
    assert service.get(sentinel).status == 200
    for seen in service.backends[0].requests:
        if seen.target != sentinel:
            assert row.head_is_good and not seen.complete, f"{row}: {seen.head.raw[:300]!r}"
            assert seen.target != "/smuggled"


@pytest.mark.parametrize("row", REFUSED, ids=str)
def test_T4_1_refused_and_nothing_behind_it_is_read(service, row):
    with service.client() as client:
        client.send_quietly(row.data + SMUGGLED)
        answer = client.read_response()
        end = client.expect_end()
    assert answer.status == row.status
    assert end.orderly, end
    assert "close" in answer.get("connection").lower()
    assert (answer.get("server"), answer.complete) == ("elb", True)
    if row.status == 405:
        assert answer.get("allow") == METHODS_ALLOWED
    check_nothing_reached(service, row)


def test_T4_1_trace_is_refused_and_the_connection_kept(service):
    with service.client() as client:
        answer = client.exchange(b"TRACE / HTTP/1.1\r\n" + HOST + b"\r\n")
        assert (answer.status, answer.get("allow")) == (405, METHODS_ALLOWED)
        assert client.get("/after").status == 200
    assert service.backends[0].targets == ["/after"]


@pytest.mark.parametrize("row", ACCEPTED, ids=str)
def test_T4_1_accepted_and_relayed(service, row: Accepted):
    method = row.data.split(b" ")[0].decode("latin-1")
    with service.client() as client:
        answer = client.exchange(row.data, method)
        assert (answer.status, answer.complete) == (200, True)
    (seen,) = service.backends[0].requests
    assert seen.target.encode("latin-1") == row.target
    assert row.check(seen), seen.head.raw


def test_T4_1_http_1_0_without_host_gets_the_address_it_connected_to(service):
    with service.client() as client:
        assert client.exchange(b"GET /x HTTP/1.0\r\n\r\n").status == 200
    (seen,) = service.backends[0].requests
    assert seen.head.start == "GET /x HTTP/1.1"
    assert seen.get_all("host")[0].split(":")[0] == service.address


def test_T4_1_pipelined_requests_are_served_in_order_one_at_a_time(service):
    member = service.backends[0]
    member.set(modes.by_target({"/0": modes.slow(0.2)}))
    with service.client() as client:
        client.send(b"".join(http1.request(f"/{number}") for number in range(5)))
        answers = [client.read_response().json()["target"] for _ in range(5)]
    assert answers == ["/0", "/1", "/2", "/3", "/4"]
    assert member.targets == answers
    starts = [request.at for request in member.requests]
    assert starts[1] - starts[0] >= 0.2


def test_T4_1_a_request_cut_short_aborts_the_upstream_connection(service):
    member = service.backends[0]
    with service.client() as client:
        client.send(http1.request("/cut", "POST", fields=[("Content-Length", "10")], body=b"abc"))
        member.wait_for_requests(1)
    cut = member.requests[0]
    member.wait(lambda: cut.connection.ended_by_peer, 5)
    assert not cut.complete
    assert service.get("/next").status == 200
    assert member.requests[-1].connection is not cut.connection


def test_T4_1_a_chunked_body_is_framed_anew(service):
    body = http1.chunk(b"abc", b";ext=1") + http1.chunk(b"de") + http1.LAST_CHUNK
    fields = [("Transfer-Encoding", "chunked")]
    with service.client() as client:
        client.exchange(http1.request("/", "POST", fields=fields, body=body), "POST")
    (seen,) = service.backends[0].requests
    framing = (seen.get_all("transfer-encoding"), seen.get_all("content-length"))
    assert framing in ((["chunked"], []), ([], ["5"]))
    assert (seen.body, seen.complete) == (b"abcde", True)


def test_T4_1_byte_by_byte_makes_no_difference(service):
    data = b"POST /slow HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    data += b"3;x\r\nabc\r\n0\r\nT: v\r\n\r\n"
    with service.client() as client:
        for index in range(len(data)):
            client.send(data[index : index + 1])
        assert client.read_response("POST").json()["body_len"] == 3


def test_T4_2_an_absolute_target_replaces_the_host(service):
    with service.client() as client:
        assert client.exchange(b"GET http://zzz/q HTTP/1.1\r\nHost: a\r\n\r\n").status == 200
    (seen,) = service.backends[0].requests
    assert (seen.target, seen.get_all("host")) == ("/q", ["zzz"])


def test_T4_1_a_refusal_is_quick_and_does_not_wait_for_the_rest(service):
    """The fault decides, not the end of the head."""
    with RawClient(service.address, service.port, tls=service.is_tls) as client:
        before = now()
        client.send(b"GET / HTTP/1.1\r\nX : y\r\n\r\n")
        assert client.read_response().status == 400
        assert now() - before < 5
