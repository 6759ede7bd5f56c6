"""Large bodies both ways with equal checksums and bounded memory (data-plane.md 4.1)."""

from __future__ import annotations

import hashlib
import threading

import pytest

from rig import http1, modes
from rig.observe import resident_kib
from rig.timing import FULL

MIB = 1 << 20
SIZE = 1024 * MIB if FULL else 256 * MIB
BLOCK = bytes((index * 7 + index // 251) % 256 for index in range(MIB))


@pytest.fixture(scope="module")
def running(own_daemon):
    return own_daemon(release=True)


@pytest.fixture(params=["http", "https"])
def service(running, backend, server_certificates, request):
    api = running.api()
    tls = request.param == "https"
    certificate = api.make_certificate(server_certificates["ec"]) if tls else None
    lb = api.make_lb()
    yield api.make_service(lb, [backend()], certificate=certificate)
    api.drop_lb(lb["id"])


class PeakWatch:
    """The highest resident size of the daemon during a `with` block, above that at its start."""

    def __init__(self, pid: int):
        self.pid, self.start, self.peak = pid, resident_kib(pid), 0
        self.done = threading.Event()

    def __enter__(self) -> "PeakWatch":
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()
        return self

    def _watch(self) -> None:
        while not self.done.wait(0.02):
            self.peak = max(self.peak, resident_kib(self.pid))

    def __exit__(self, *_exc) -> None:
        self.done.set()
        self.thread.join()

    @property
    def grown(self) -> int:
        return self.peak - self.start


def limit_kib(running) -> int:
    """256 KiB per direction plus what a first exchange sets up; sanitizers keep freed memory."""
    return 64 * 1024 if running.sanitized else 1024


def warm_up(service) -> None:
    service.backends[0].set(modes.fixed(BLOCK))
    assert len(service.get().body) == MIB
    service.backends[0].set(modes.ok())
    assert service.get(method="POST", body=BLOCK).json()["body_len"] == MIB


@pytest.mark.slow
def test_a_large_download(running, service):
    warm_up(service)
    digests: list[str] = []
    service.backends[0].set(modes.stream(SIZE, BLOCK, digests))
    digest, size = hashlib.sha256(), 0
    with PeakWatch(running.pid) as watch, service.client(timeout=60) as client:
        client.send(http1.request("/down"))
        answer = client.start_response()
        for piece in client.body_pieces(answer):
            digest.update(piece)
            size += len(piece)
    assert (size, answer.complete) == (SIZE, True)
    service.backends[0].wait(lambda: digests, 10)
    assert digests == [digest.hexdigest()]
    assert watch.grown <= limit_kib(running), f"grew by {watch.grown} KiB"


@pytest.mark.slow
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_large_upload(running, service, framing):
    warm_up(service)
    digest = hashlib.sha256()
    chunked = framing == "chunked"
    length = ("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(SIZE))
    with PeakWatch(running.pid) as watch, service.client(timeout=60) as client:
        client.send(http1.request("/up", "POST", fields=[length]))
        for _ in range(SIZE // MIB):
            digest.update(BLOCK)
            client.send(http1.chunk(BLOCK) if chunked else BLOCK)
        if chunked:
            client.send(http1.LAST_CHUNK)
        answer = client.read_response("POST").json()
    assert (answer["body_len"], answer["body_sha256"]) == (SIZE, digest.hexdigest())
    assert watch.grown <= limit_kib(running), f"grew by {watch.grown} KiB"
