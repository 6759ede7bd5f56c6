"""Peers that send nothing, dribble, flood or never read: what they make the process hold, whether it
gives that back, and how long well-behaved new clients wait meanwhile.

With the release build and ELB_FULL=1 this gives the figures of a release; run it alone with `-s`."""

from __future__ import annotations

import contextlib
import multiprocessing
import socket
import ssl
import threading
from dataclasses import dataclass, field
from typing import Callable, Iterator

import pytest

from rig import http1, modes
from rig.clients import RawClient
from rig.h2client import CONTINUATION, HEADERS, PRIORITY, SETTINGS, H2Client, pseudo_fields
from rig.load import NginxMember
from rig.observe import anonymous_kib
from rig.timing import FULL, now, wait_until

SILENT = 3000
DRIBBLING = 200
STALLED_HELLOS = 500
STREAMS = 128
MIB_IN_KIB = 1024
#: A well-behaved client on a machine of two cores that attackers share; elsewhere it shows hangs.
WORST_WAIT = 0.05 if FULL else 2.0
# What the allocator keeps of what it got back, after a trim: pages with something left on them.
RETAINED_KIB = 1024


@dataclass
class Attack:
    """What one kind of peer did: `sent` bytes, and what to do to end it."""

    sent: int
    end: Callable[[], None] = field(default=lambda: None)


def polite(address: str, port: int, waits, stop) -> None:
    """In a process of its own: a new TLS connection and a request, again and again."""
    context = ssl._create_unverified_context()
    while not stop.is_set():
        begun = now()
        try:
            with socket.create_connection((address, port), 10) as raw:
                with context.wrap_socket(raw) as client:
                    client.sendall(b"GET /polite HTTP/1.1\r\nHost: a.test\r\n\r\n")
                    good = client.recv(4096).startswith(b"HTTP/1.1 200 ")
        except OSError:
            good = False
        waits.append((now() - begun) if good else -1.0)
        stop.wait(0.01)


@contextlib.contextmanager
def well_behaved(service) -> Iterator[list]:
    with multiprocessing.Manager() as manager:
        waits, stop = manager.list(), manager.Event()
        process = multiprocessing.get_context("spawn").Process(
            target=polite, args=(service.address, service.port, waits, stop))
        process.start()
        seen: list[float] = []
        try:
            wait_until(lambda: len(waits) > 5, 20, "the well-behaved client")
            del waits[:]  # Its first handshakes load what all others share.
            yield seen
        finally:
            stop.set()
            process.join()
            seen.extend(waits)


@pytest.fixture(scope="module")
def site(own_daemon, server_certificates, module_backend):
    """A daemon whose memory is judged, with everything of it used once."""
    running = own_daemon(release=True)
    api = running.api()
    certificate = api.make_certificate(server_certificates["ec"])
    service = api.make_service(api.make_lb(), [module_backend()], port=8443, http2_enable=True,
                               client_timeout=60, certificate=certificate)
    service.running, service.certificate = running, certificate
    for _ in range(200):
        assert service.get("/warm").status == 200
    with service.h2() as client:
        assert client.get("/warm").status == 200
    return service


@pytest.fixture(scope="module")
def neighbour(site):
    """Another listener of the daemon, with a backend that nobody attacks."""
    with NginxMember("neighbour") as member:
        yield site.api.make_service(site.lb, [member], port=8444, certificate=site.certificate)


def judge(site, neighbour, name: str, attack: Callable[[object], Attack]) -> None:
    """Runs an attack beside a well-behaved client and judges memory and waits."""
    pid, peak = site.running.pid, [0]
    site.backends[0].clear()
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.01):
            peak[0] = max(peak[0], anonymous_kib(pid))

    watcher = threading.Thread(target=watch)
    with well_behaved(neighbour) as waits:
        before = anonymous_kib(pid)
        watcher.start()
        begun = now()
        made = attack(site)
        took = now() - begun
        wait_until(lambda: now() - begun > took + 1.0, 30, "a second of it")
        made.end()
        done.set()
        watcher.join()
    grown = peak[0] - before
    limit = 4 * made.sent / 1024 + MIB_IN_KIB
    kept = []

    def given_back() -> bool:
        kept.append(anonymous_kib(pid) - before)
        return kept[-1] <= RETAINED_KIB

    print(f"{name}: {made.sent / 1024:.0f} KiB sent, {grown} KiB held, at most {limit:.0f};"
          f" {len(waits)} well-behaved clients, worst {max(waits) * 1000:.1f} ms", end="")
    assert min(waits) >= 0, "a well-behaved client failed"
    assert max(waits) <= WORST_WAIT
    if not site.running.sanitized:  # Sanitizers keep what is freed, and shadows of it.
        assert grown <= limit
        wait_until(given_back, 25, "memory to be given back")
        print(f"; {kept[-1]} KiB kept")


# --- clients ------------------------------------------------------------------------------------


def close_all(clients: list) -> None:
    for client in clients:
        client.close()


def silent(site) -> Attack:
    clients = [socket.create_connection((site.address, site.port)) for _ in range(SILENT)]
    return Attack(0, lambda: close_all(clients))


def stalled_hellos(site) -> Attack:
    """The first half of a ClientHello, and no more."""
    hello = ssl.MemoryBIO()
    handshake = ssl._create_unverified_context().wrap_bio(ssl.MemoryBIO(), hello)
    with contextlib.suppress(ssl.SSLWantReadError):
        handshake.do_handshake()
    half = hello.read()[:200]
    clients = [socket.create_connection((site.address, site.port)) for _ in range(STALLED_HELLOS)]
    for client in clients:
        client.sendall(half)
    return Attack(len(half) * len(clients), lambda: close_all(clients))


def dribbled_hellos(site) -> Attack:
    """Byte by byte, what claims to be a record of 16 KiB."""
    clients = [socket.create_connection((site.address, site.port)) for _ in range(DRIBBLING)]
    record = b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc" + bytes(91)
    for byte in record:
        for client in clients:
            client.sendall(bytes([byte]))
    return Attack(len(record) * len(clients), lambda: close_all(clients))


def endless_heads(site) -> Attack:
    """Fields without end, up to the limit: 30 times 60 KiB, never completed."""
    clients = [RawClient(site.address, site.port, tls=True) for _ in range(30)]
    head = b"GET / HTTP/1.1\r\nHost: a.test\r\n" + b"x: " + b"a" * 60_000
    for client in clients:
        client.send(head)
    return Attack(len(head) * len(clients), lambda: close_all(clients))


def many_small_fields(site) -> Attack:
    clients = [RawClient(site.address, site.port, tls=True) for _ in range(30)]
    head = b"GET / HTTP/1.1\r\nHost: a.test\r\n" + b"a:b\r\n" * 250
    for client in clients:
        client.send(head)
    return Attack(len(head) * len(clients), lambda: close_all(clients))


def flood(site, frames: Callable[[H2Client], None], clients: int = 8) -> Attack:
    """Each client sends until it is thrown out."""
    sent, made = 0, []
    for _ in range(clients):
        client = H2Client(site.address, site.port)
        made.append(client)
        client.read_until(lambda: client.settings)
        with client.batched():
            frames(client)
            sent += sum(map(len, client._batch))
    return Attack(sent, lambda: close_all([client.raw for client in made]))


def rapid_resets(site) -> Attack:
    def frames(client: H2Client) -> None:
        for _ in range(1000):
            client.send_reset(client.send_request("/reset"))

    return flood(site, frames)


def settings_flood(site) -> Attack:
    return flood(site, lambda client: [client.send_raw_frame(SETTINGS, 0, 0)
                                       for _ in range(20_000)])  # fmt: skip


def ping_flood(site) -> Attack:
    return flood(site, lambda client: [client.send_ping() for _ in range(20_000)])


def priority_flood(site) -> Attack:
    return flood(site, lambda client: [client.send_raw_frame(PRIORITY, 0, 1, bytes(5))
                                       for _ in range(20_000)])  # fmt: skip


def continuation_flood(site) -> Attack:
    def frames(client: H2Client) -> None:
        client.send_raw_frame(HEADERS, 0, client.new_stream(), b"")
        for _ in range(20_000):
            client.send_raw_frame(CONTINUATION, 0, 1, b"\x00\x01a\x01b")

    return flood(site, frames)


def compression_bomb(site) -> Attack:
    """A field of 4,000 B put into the table once and named 2,000 times in each of 100 requests."""

    def frames(client: H2Client) -> None:
        client.send_headers([*pseudo_fields("/"), ("bomb", "b" * 3900)])
        for _ in range(STREAMS - 28):
            block = client.encoder.encode(pseudo_fields("/")) + b"\xbe" * 2000
            client.send_block(block)

    return flood(site, frames)


def closed_windows(site) -> Attack:
    """128 requests on one connection for 500 KB that may never be sent."""
    site.backends[0].set(modes.fixed(b"x" * 500_000))
    client = H2Client(site.address, site.port, settings={4: 0})
    client.read_until(lambda: client.settings)
    with client.batched():
        for _ in range(STREAMS):
            client.send_request("/large")
        sent = sum(map(len, client._batch))
    return Attack(sent, client.raw.close)


def never_reading(site) -> Attack:
    """20 clients that ask for 4 MB and read nothing."""
    site.backends[0].set(modes.fixed(b"x" * 4_000_000))
    request, clients = http1.request("/large"), []
    for _ in range(20):
        client = RawClient(site.address, site.port, tls=True, receive_buffer=4096)
        client.send(request)
        clients.append(client)
    return Attack(len(request) * len(clients), lambda: close_all(clients))


# --- backends -----------------------------------------------------------------------------------


def from_backend(site, mode, requests: int = 30) -> Attack:
    """As many requests at a time to a backend that answers like this; what it sends is `mode`'s
    business."""
    site.backends[0].set(mode)
    clients = [RawClient(site.address, site.port, tls=True) for _ in range(requests)]
    for client in clients:
        client.send(http1.request("/lies"))
    return Attack(requests * 100, lambda: close_all(clients))


def endless_response_heads(site) -> Attack:
    return from_backend(site, modes.raw(b"HTTP/1.1 200 OK\r\n" + b"x: " + b"a" * 200_000))


def endless_informational(site) -> Attack:
    return from_backend(site, modes.raw(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 5000))


def endless_chunk_extension(site) -> Attack:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;"
    return from_backend(site, modes.raw(head + b"e" * 200_000))


def endless_trailers(site) -> Attack:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    return from_backend(site, modes.raw(head + b"x: y\r\n" * 50_000))


@pytest.mark.slow
@pytest.mark.parametrize("attack", [
    silent, stalled_hellos, dribbled_hellos, endless_heads, many_small_fields, rapid_resets,
    settings_flood, ping_flood, priority_flood, continuation_flood, compression_bomb,
    closed_windows, never_reading, endless_response_heads, endless_informational,
    endless_chunk_extension, endless_trailers,
], ids=lambda attack: attack.__name__)  # fmt: skip
def test_hostile_peers_cost_what_they_send(site, neighbour, attack):
    site.backends[0].set(modes.ok())
    judge(site, neighbour, attack.__name__, attack)
