"""Sizes of requests and responses, and bounded memory (data-plane.md 4.1)."""

from __future__ import annotations

import hashlib
import threading

import pytest

from rig import http1, modes
from rig.clients import How
from rig.observe import resident_kib
from rig.timing import FULL, now, wait_until

KIB = 1024
MIB = 1024 * KIB
HEAD_BYTES_MAX = 64 * KIB
TARGET_BYTES_MAX = 16 * KIB
FIELDS_MAX = 256
BODY_BYTES_MAX = 10_737_418_240
STREAM_BYTES = 1024 * MIB if FULL else 256 * MIB


@pytest.fixture(params=["http", "https"])
def service(api, lb, certificate, backend, request):
    if request.param == "http":
        return api.make_service(lb, [backend()], port=8080)
    return api.make_service(lb, [backend()], port=8443, certificate=certificate)


def head_of(size: int) -> bytes:
    """A request whose request line and field lines together have `size` bytes."""
    start = b"GET / HTTP/1.1\r\nHost: a.test\r\nX: "
    return start + b"y" * (size - len(start) - 2) + b"\r\n\r\n"


def test_T4_3_a_head_of_64_KiB_passes(service):
    """65 536 bytes with the empty line that ends the head."""
    with service.client() as client:
        assert client.exchange(head_of(HEAD_BYTES_MAX - 2)).status == 200
    assert len(service.backends[0].requests[0].get("x")) > 65_000


def test_T4_3_one_byte_more_is_400(service):
    with service.client() as client:
        client.send_quietly(head_of(HEAD_BYTES_MAX + 1))
        assert client.read_response().status == 400
        assert client.expect_end().orderly
    assert service.backends[0].requests == []


def test_T4_3_an_endless_head_is_cut_off(service):
    with service.client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\nX: ")
        client.send_quietly(b"y" * (4 * HEAD_BYTES_MAX))
        assert client.read_response().status == 400


@pytest.mark.parametrize("excess, status", [(0, 200), (1, 414)])
def test_T4_3_the_target_has_16_KiB(service, excess, status):
    target = "/" + "t" * (TARGET_BYTES_MAX - 1 + excess)
    with service.client() as client:
        assert client.get(target).status == status
        if status != 200:
            assert client.expect_end().orderly
    assert len(service.backends[0].requests) == (status == 200)


@pytest.mark.parametrize("excess, status", [(0, 200), (1, 400)])
def test_T4_3_there_are_256_fields(service, excess, status):
    fields = [(f"X-{number}", "y") for number in range(FIELDS_MAX - 1 + excess)]
    with service.client() as client:
        assert client.get(fields=fields).status == status
        if status != 200:
            assert client.expect_end().orderly
    assert len(service.backends[0].requests) == (status == 200)


@pytest.mark.parametrize("size, status", [(60 * KIB, 200), (66 * KIB, 502)])
def test_T4_3_a_response_head_over_64_KiB_is_502(daemon, service, size, status):
    service.backends[0].set(modes.fixed(b"ok", [("X", "y" * size)]))
    assert service.get(f"/head{size}{service.scheme}").status == status
    line = daemon.access_log.wait_for(f"/head{size}{service.scheme}")
    assert line["error_reason"] == ("backend_header_too_large" if status == 502 else "-")


def test_T4_4_a_body_over_10_GB_is_refused_before_any_of_it(service):
    fields = [("Content-Length", str(BODY_BYTES_MAX + 1)), ("Expect", "100-continue")]
    with service.client() as client:
        answer = client.exchange(http1.request("/big", "POST", fields=fields))
        assert (answer.status, answer.informational) == (413, [])
        assert client.expect_end().orderly
    assert service.get("/after").status == 200
    assert service.backends[0].targets == ["/after"]


def test_T4_4_a_chunked_body_that_passes_the_limit(own_daemon, backend):
    limited = own_daemon(config={"limits": {"request_body_bytes_max": 1 * MIB}})
    api, member = limited.api(), backend()
    service = api.make_service(api.make_lb(), [member])
    fields = [("Transfer-Encoding", "chunked")]
    block = http1.chunk(b"x" * 64 * KIB)
    with service.client() as client:
        client.send(http1.request("/fits", "POST", fields=fields, body=block * 16))
        client.send(http1.LAST_CHUNK)
        assert client.read_response("POST").json()["body_len"] == 1 * MIB
    with service.client() as client:
        client.send_quietly(http1.request("/over", "POST", fields=fields, body=block * 17))
        assert client.read_response("POST").status == 413
        assert client.expect_end().orderly
    member.wait(lambda: member.targets[-1] == "/over", 5)
    over = member.requests[-1]
    assert not over.complete
    member.wait(lambda: over.connection.ended_by_peer, 5)


def growth_limit_kib(sanitized: bool) -> int:
    """1 MiB of the contract; a sanitizer's own bookkeeping gets more."""
    return 48 * KIB if sanitized else 1 * KIB


def stalled(progress, seconds: float = 0.5) -> None:
    """Returns when `progress()` has not moved for so long."""
    last, since = progress(), now()

    def still() -> bool:
        nonlocal last, since
        if progress() != last:
            last, since = progress(), now()
        return now() - since >= seconds

    wait_until(still, 60, "the sender to be held back")


@pytest.mark.slow
@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_T4_14_a_slow_reader_costs_no_memory(own_daemon, backend, server_certificates, tls):
    running = own_daemon(release=True)
    api, digests, sent = running.api(), [], [0]
    block = bytes(range(256)) * 1024

    def count(exchange) -> None:
        exchange.read_body()
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % STREAM_BYTES)
        digest = hashlib.sha256()
        for _ in range(STREAM_BYTES // len(block)):
            exchange.send(block)
            digest.update(block)
            sent[0] += len(block)
        digests.append(digest.hexdigest())

    member = backend(mode=modes.by_target({"/big": count}, modes.fixed(b"w" * 4 * MIB)))
    certificate = api.make_certificate(server_certificates["ec"]) if tls else None
    service = api.make_service(api.make_lb(), [member], certificate=certificate)
    for _ in range(3):  # What a first transfer needs once is not growth.
        assert len(service.get("/warm").body) == 4 * MIB
    before = resident_kib(running.pid)
    with service.client(timeout=60) as client:
        client.send(http1.request("/big"))
        answer, digest, size = client.start_response(), hashlib.sha256(), 0
        stalled(lambda: sent[0])
        assert sent[0] < 64 * MIB, "nobody holds the backend back"
        grown = resident_kib(running.pid) - before
        for piece in client.body_pieces(answer):
            digest.update(piece)
            size += len(piece)
    assert grown <= growth_limit_kib(running.sanitized), f"grew by {grown} KiB"
    assert (size, answer.complete) == (STREAM_BYTES, True)
    member.wait(lambda: digests, 5)
    assert digests == [digest.hexdigest()]


def test_a_stalled_backend_costs_no_memory(own_daemon, backend):
    """The other direction of 4.1: an upload that the backend does not read."""
    running = own_daemon(release=True)
    api = running.api()
    member = backend(mode=modes.echo())
    service = api.make_service(api.make_lb(), [member], member_timeout=30)
    with service.client() as client:
        client.exchange(http1.request("/warm", "POST", body=b"w" * MIB), "POST")
    before = resident_kib(running.pid)
    member.set(modes.stop_reading())
    sent = [0]

    def upload(client) -> None:
        head = http1.request("/up", "POST", fields=[("Content-Length", str(STREAM_BYTES))])
        client.send(head)
        while client.send_quietly(b"x" * 64 * KIB):
            sent[0] += 64 * KIB

    with service.client() as client:
        sender = threading.Thread(target=upload, args=(client,), daemon=True)
        sender.start()
        stalled(lambda: sent[0])
        assert sent[0] < 64 * MIB, "nobody holds the client back"
        grown = resident_kib(running.pid) - before
        member.stop()
        answer = client.read_response("POST")
    assert grown <= growth_limit_kib(running.sanitized), f"grew by {grown} KiB"
    assert answer.status == 502
    assert client.end is None or client.end.how is not How.RST
