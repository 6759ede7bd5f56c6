"""Large bodies, slow readers and steady posts over HTTP/2 (data-plane.md 4.1, 4.9)."""

from __future__ import annotations

import hashlib
import time

import pytest

from conformance.limits_test import growth_limit_kib
from rig import modes
from rig.h2client import END_STREAM, DATA, pseudo_fields
from rig.observe import resident_kib
from rig.parallel import concurrently
from rig.timing import FULL, now, wait_until

MIB = 1 << 20
STREAM_BYTES = 1024 * MIB if FULL else 96 * MIB
BLOCK = bytes((index * 7 + index // 251) % 256 for index in range(256 * 1024))


@pytest.fixture(scope="module")
def running(own_daemon):
    return own_daemon(release=True)


@pytest.fixture
def service(running, backend, server_certificates):
    api = running.api()
    certificate = api.make_certificate(server_certificates["ec"])
    lb = api.make_lb()
    yield api.make_service(lb, [backend()], certificate=certificate, http2_enable=True)
    api.drop_lb(lb["id"])


def warm_up(service) -> None:
    """What a first transfer needs once is not growth."""
    service.backends[0].set(modes.fixed(BLOCK * 8))
    for _ in range(3):
        with service.h2() as client:
            assert client.get().body_len == 8 * len(BLOCK)


def counting_stream(sent: list[int], digests: list[str]) -> modes.Mode:
    """`STREAM_BYTES` of blocks; `sent` follows what has gone out."""

    def answer(exchange) -> None:
        exchange.read_body()
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % STREAM_BYTES)
        digest = hashlib.sha256()
        for _ in range(STREAM_BYTES // len(BLOCK)):
            exchange.send(BLOCK)
            digest.update(BLOCK)
            sent[0] += len(BLOCK)
        digests.append(digest.hexdigest())

    return answer


def stands_still(progress, seconds: float = 0.5) -> None:
    """Returns when `progress()` has not moved for so long."""
    last, since = progress(), now()

    def still() -> bool:
        nonlocal last, since
        if progress() != last:
            last, since = progress(), now()
        return now() - since >= seconds

    wait_until(still, 60, "the sender to be held back")


@pytest.mark.slow
def test_T4_14_a_slow_reader_costs_no_memory(running, service):
    """The window stays closed, then opens; the checksum matches."""
    warm_up(service)
    sent, digests = [0], []
    service.backends[0].set(counting_stream(sent, digests))
    before = resident_kib(running.pid)
    with service.h2(timeout=60) as client:
        client.auto_window = False
        stream, digest = client.send_request("/big"), hashlib.sha256()
        client.streams[stream].on_data = digest.update
        client.read_until(lambda: client.streams[stream].body_len >= 65_535)
        stands_still(lambda: sent[0])
        assert sent[0] < 32 * MIB, "nobody holds the backend back"
        grown = resident_kib(running.pid) - before
        client.auto_window = True
        client.send_window(0, 65_535)
        client.send_window(stream, 65_535)
        answer = client.wait_for(stream)
    assert grown <= growth_limit_kib(running.sanitized), f"grew by {grown} KiB"
    assert (answer.body_len, answer.ended) == (STREAM_BYTES, True)
    service.backends[0].wait(lambda: digests, 5)
    assert digests == [digest.hexdigest()]


@pytest.mark.slow
def test_T4_14_many_slow_readers_on_one_connection(running, service):
    """Each stream has its own bound; the connection's other streams go on."""
    warm_up(service)
    service.backends[0].set(modes.by_target({"/small": modes.ok()},
                                            modes.stream(64 * MIB, BLOCK)))
    before = resident_kib(running.pid)
    with service.h2(timeout=60) as client:
        client.auto_window = False
        client.send_window(0, 1 << 30)
        streams = [client.send_request(f"/{number}") for number in range(20)]
        client.read_until(lambda: all(client.streams[s].body_len >= 65_535 for s in streams))
        client.send_request("/small")
        client.wait_for(client.next_stream - 2)
        assert client.streams[client.next_stream - 2].status == 200
        grown = resident_kib(running.pid) - before
    # 256 KiB for each exchange and direction.
    assert grown <= growth_limit_kib(running.sanitized) + 20 * 512, f"grew by {grown} KiB"


@pytest.mark.slow
def test_T4_14_an_upload_that_the_backend_does_not_read_is_held_back(running, service):
    """The windows that we give bound what a client can make us hold."""
    warm_up(service)
    service.update_listener(member_timeout=30)
    service.backends[0].set(modes.stop_reading())
    before = resident_kib(running.pid)
    with service.h2(timeout=60) as client:
        client.read_until(lambda: client.settings)
        stream = client.send_request("/up", method="POST", end=False)
        sent, deadline = 0, now() + 20
        client.upload(stream, b"", end=False)
        known = client.streams[stream]
        client.raw.socket.settimeout(1.0)
        while now() < deadline and sent < 64 * MIB:
            room = min(client.window, known.window, 16_384)
            if room > 0:
                client.send_data(stream, bytes(room), end=False)
                sent += room
                continue
            try:
                client.read_frame()
            except AssertionError:  # Silence: no more window.
                break
        grown = resident_kib(running.pid) - before
    assert sent < 32 * MIB, "nobody holds the client back"
    assert grown <= growth_limit_kib(running.sanitized), f"grew by {grown} KiB"


@pytest.mark.slow
def test_a_large_upload_arrives_whole(service):
    digest = hashlib.sha256()
    size = STREAM_BYTES // 8
    with service.h2(timeout=60) as client:
        stream = client.send_request("/up", method="POST", end=False)
        for _ in range(size // len(BLOCK)):
            digest.update(BLOCK)
            assert client.upload(stream, BLOCK, end=False)
        client.send_data(stream, b"")
        answer = client.wait_for(stream).json()
    assert (answer["body_len"], answer["body_sha256"]) == (size, digest.hexdigest())


def test_padding_counts_for_the_windows(service):
    """Padded DATA of more than a window in all: the windows must be given back in full."""
    with service.h2() as client:
        client.read_until(lambda: client.settings)
        stream = client.send_request("/padded", method="POST", end=False)
        payload = b"\xff" + b"x" * 10 + bytes(255)
        client.upload(stream, b"", end=False)
        for _ in range(6000):  # 1.6 MB of frames for 60 kB of content.
            known = client.streams[stream]
            client.read_until(lambda: min(client.window, known.window) >= len(payload)
                              or known.done)
            client.send_raw_frame(DATA, 0x8, stream, payload)
            client._spend(stream, len(payload))
        client.send_raw_frame(DATA, END_STREAM, stream)
        assert client.wait_for(stream).json()["body_len"] == 60_000


@pytest.mark.slow
def test_T4_13_posts_never_meet_the_keep_alive_race(service):
    """Waves of POSTs, 1.9 to 2.1 s apart, against a backend that closes idle connections after 2 s.
    Each stream of a wave needs an upstream connection of its own."""
    service.backends[0].idle_timeout = 2.0
    clients, streams, waves = (10, 100, 10) if FULL else (5, 40, 4)
    start, statuses = now() + 0.5, []

    def post(index: int) -> None:
        with service.h2() as client:
            for wave in range(waves):
                jitter = 0.2 * index / clients - 0.1
                moment = start + wave * 2.0 + (jitter if wave % 2 else -jitter) / 2
                time.sleep(max(0.0, moment - now()))  # The spacing is what this test is about.
                sent = [client.send_request(f"/{index}/{wave}/{number}", method="POST", body=b"x")
                        for number in range(streams)]  # fmt: skip
                client.wait_for(*sent)
                statuses.extend(client.streams[stream].status for stream in sent)

    concurrently(*[lambda index=index: post(index) for index in range(clients)])
    assert statuses == [200] * clients * streams * waves


def test_a_response_of_many_small_pieces_arrives_whole(service):
    pieces = [b"%d," % number for number in range(3000)]
    service.backends[0].set(modes.chunked(pieces))
    with service.h2() as client:
        answer = client.wait_for(client.send_headers(pseudo_fields("/pieces")))
    assert (answer.body, answer.ended) == (b"".join(pieces), True)
