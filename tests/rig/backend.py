"""A scripted member: an HTTP/1.1 server whose behaviour a test switches at run time.

One thread per connection; every wait ends when the backend stops. A *mode* (see `modes.py`) decides
what happens to each request, or to the listening socket itself.
"""

from __future__ import annotations

import hashlib
import select
import socket
import ssl
import struct
import threading
from dataclasses import dataclass, field
from typing import Callable

from rig import http1
from rig.timing import now

RECEIVE_BYTES = 256 * 1024
KEPT_BODY_BYTES = 256 * 1024
PROBE_AGENT = "ELB-HealthChecker/1.0"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass
class Recorded:
    """One request as it arrived. `complete` once the body was read to its end."""

    at: float
    head: http1.Head
    connection: "Connection"
    body: bytes = b""  #: At most the first 256 KiB.
    body_len: int = 0
    body_sha256: str = ""
    trailers: http1.Fields = field(default_factory=list)
    complete: bool = False
    finished_at: float | None = None

    @property
    def method(self) -> str:
        return self.head.start.split(" ")[0]

    @property
    def target(self) -> str:
        return self.head.start.split(" ")[1] if " " in self.head.start else ""

    @property
    def headers(self) -> http1.Fields:
        return self.head.fields

    def get(self, name: str) -> str | None:
        return self.head.get(name)

    def get_all(self, name: str) -> list[str]:
        return self.head.get_all(name)

    @property
    def is_probe(self) -> bool:
        return self.get("user-agent") == PROBE_AGENT


class Connection:
    """One accepted connection. `ended_by_peer` is `fin` or `rst` once that was seen."""

    def __init__(self, backend: "Backend", raw: socket.socket, number: int):
        self.backend = backend
        self.socket: socket.socket = raw
        self.number = number
        self.peer = raw.getpeername()
        self.accepted_at = now()
        self.ended_by_peer: str | None = None
        self.ended_at: float | None = None
        self.sni: str | None = None
        self.tls_error: str | None = None
        self.tls_version: str | None = None
        self.alpn: str | None = None
        self.reader = http1.Reader(self.receive)

    def start_tls(self, context: ssl.SSLContext) -> bool:
        def note(_socket, name, _context):
            self.sni = name

        context.sni_callback = note
        try:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        except (ssl.SSLError, OSError) as error:
            self.tls_error = str(error)
            self.note_end("rst" if isinstance(error, ConnectionResetError) else "fin")
            return False
        self.tls_version = self.socket.version()
        self.alpn = self.socket.selected_alpn_protocol()
        return True

    def receive(self) -> bytes:
        try:
            data = self.socket.recv(RECEIVE_BYTES)
        except ConnectionResetError:
            self.note_end("rst")
            return b""
        except (ssl.SSLError, OSError):
            self.note_end("fin")
            return b""
        if not data:
            self.note_end("fin")
        return data

    def note_end(self, how: str) -> None:
        if self.ended_at is None:
            with self.backend.changed:
                self.ended_by_peer, self.ended_at = how, now()
                self.backend.changed.notify_all()

    def send(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError, OSError):
            self.note_end("rst")
            raise http1.Cut() from None

    def wait(self, seconds: float) -> bool:
        """Waits while watching the peer. True when the peer ended the connection meanwhile."""
        poller = select.poll()
        poller.register(self.socket, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
        deadline = now() + seconds
        while now() < deadline and not self.backend.stopping.is_set():
            for _, events in poller.poll(min(50.0, max(0.0, (deadline - now()) * 1000))):
                failed = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                self.note_end("rst" if failed or events & select.POLLERR else "fin")
                return True
        return False

    def close(self) -> None:
        """FIN; over TLS a close_notify before it."""
        try:
            if isinstance(self.socket, ssl.SSLSocket):
                self.socket.settimeout(1)
                self.socket.unwrap()
        except (OSError, ValueError):
            pass
        self.cut()

    def cut(self) -> None:
        """FIN at once; over TLS without close_notify."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()

    def reset(self) -> None:
        """RST."""
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        except OSError:
            pass
        self.socket.close()


class Exchange:
    """One request in the hands of a mode."""

    def __init__(self, connection: Connection, request: Recorded):
        self.connection = connection
        self.backend = connection.backend
        self.request = request
        self.keep = True

    def read_body(self) -> bytes:
        """Reads the body to its end; returns what is kept of it."""
        request, digest = self.request, hashlib.sha256()
        if request.complete:
            return request.body
        for piece in self._pieces():
            digest.update(piece)
            request.body_len += len(piece)
            if len(request.body) < KEPT_BODY_BYTES:
                request.body += piece
        with self.backend.changed:
            request.body_sha256 = digest.hexdigest()
            request.complete, request.finished_at = True, now()
            self.backend.changed.notify_all()
        return request.body

    def _pieces(self):
        head, reader = self.request.head, self.connection.reader
        if head.chunked:
            return reader.chunks(self.request.trailers)
        return reader.take(head.content_length or 0)

    def respond(
        self,
        status: int = 200,
        body: bytes = b"",
        fields: http1.Fields | None = None,
        reason: str = "Scripted",
    ) -> None:
        lines = [f"HTTP/1.1 {status} {reason}"]
        lines += [f"{name}: {value}" for name, value in fields or []]
        names = {name.lower() for name, _ in fields or []}
        bodiless = status < 200 or status in (204, 304)
        if not names & {"content-length", "transfer-encoding"} and not bodiless:
            lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        silent = bodiless or self.request.method == "HEAD"
        self.send(head if silent else head + body)

    def send(self, data: bytes) -> None:
        self.connection.send(data)

    def wait(self, seconds: float) -> bool:
        return self.connection.wait(seconds)

    def close(self) -> None:
        self.keep = False
        self.connection.close()

    def cut(self) -> None:
        self.keep = False
        self.connection.cut()

    def reset(self) -> None:
        self.keep = False
        self.connection.reset()


class Backend:
    """A member on `address` with a port of its own. Use as a context manager or stop it."""

    def __init__(
        self,
        name: str = "E1",
        address: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
        mode: Callable | None = None,
    ):
        from rig import modes  # The default mode lives beside the others.

        self.name = name
        self.address = address
        self.tls = tls
        self.mode = mode or modes.ok()
        self.probe_mode: Callable | None = None  #: Of health probes; None: like any request.
        self.changed = threading.Condition()
        self.stopping = threading.Event()
        self.recorded: list[Recorded] = []
        self.connections: list[Connection] = []
        self.idle_timeout: float | None = None  #: Closes a connection idle for so long.
        self._held: list[socket.socket] = []
        self._door = threading.RLock()  #: Held while accepting and while the door changes.
        self._listening = threading.Event()
        self._kernel_listens = True
        self._socket = self._bind()
        self.port: int = self._socket.getsockname()[1]
        self._socket.setblocking(False)
        self._socket.listen(1024)
        self._listening.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def _bind(self) -> socket.socket:
        """Bound by number, not by 0: only then does the port stay ours while we do not listen."""
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        finder, bound = socket.socket(family), socket.socket(family)
        for each in (finder, bound):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        finder.bind((self.address, 0))
        bound.bind((self.address, finder.getsockname()[1]))
        finder.close()
        return bound

    def __enter__(self) -> "Backend":
        return self

    def __exit__(self, *_exc) -> None:
        self.stop()

    # --- what a test asks -----------------------------------------------------------------------

    @property
    def requests(self) -> list[Recorded]:
        return [r for r in list(self.recorded) if not r.is_probe]

    @property
    def probes(self) -> list[Recorded]:
        return [r for r in list(self.recorded) if r.is_probe]

    @property
    def targets(self) -> list[str]:
        return [r.target for r in self.requests]

    def wait(self, condition: Callable[[], object], timeout: float = 10.0):
        """Waits for `condition()`, which is looked at whenever something happened here."""
        with self.changed:
            if not self.changed.wait_for(condition, timeout):
                raise AssertionError(f"{self.name}: not within {timeout} s")
        return condition()

    def wait_for_requests(self, count: int, timeout: float = 10.0) -> list[Recorded]:
        self.wait(lambda: len(self.requests) >= count, timeout)
        return self.requests

    def clear(self) -> None:
        self.recorded.clear()

    # --- switching ------------------------------------------------------------------------------

    def set(self, mode: Callable) -> None:
        """From now on `mode` answers; `modes.refuse` and `modes.blackhole` close the door."""
        door = getattr(mode, "door", None)
        if door == "refuse":
            self.refuse()
        elif door == "blackhole":
            self.blackhole()
        else:
            self.mode = mode
            self.listen()

    def refuse(self) -> None:
        """Connections are refused; established ones are cut."""
        with self._door:
            self._shut_door()
        self._cut_all()

    def blackhole(self) -> None:
        """SYNs are dropped: a queue of one that is full and never emptied."""
        with self._door:
            self._shut_door()
            self._open_door(0)
            while len(self._held) < 8:
                filler = socket.socket(self._socket.family)
                filler.settimeout(0.2)
                self._held.append(filler)
                try:
                    filler.connect((self.address, self.port))
                except TimeoutError:
                    break
        self._cut_all()

    def listen(self) -> None:
        with self._door:
            if not self._listening.is_set():
                self._shut_door()
                self._open_door(1024)
                self._listening.set()

    def _open_door(self, backlog: int) -> None:
        self._socket.listen(backlog)
        self._kernel_listens = True

    def _shut_door(self) -> None:
        self._listening.clear()
        if self._kernel_listens:  # On a closed socket it would mark every later connection.
            self._socket.shutdown(socket.SHUT_RDWR)
            self._kernel_listens = False
        for held in self._held:
            held.close()
        self._held.clear()

    def _cut_all(self) -> None:
        for connection in list(self.connections):
            connection.cut()

    def stop(self) -> None:
        with self._door:
            self.stopping.set()
            self._shut_door()
            self._socket.close()
            self._listening.set()
        self._cut_all()

    # --- serving --------------------------------------------------------------------------------

    def _accept(self) -> None:
        poller = select.poll()
        poller.register(self._socket, select.POLLIN)
        while not self.stopping.is_set():
            self._listening.wait()
            poller.poll(100)
            with self._door:
                accepted = self._accept_one()
            if accepted is not None:
                self._start(accepted)

    def _accept_one(self) -> socket.socket | None:
        if self.stopping.is_set() or not self._listening.is_set():
            return None
        try:
            accepted, _ = self._socket.accept()
        except OSError:
            return None
        accepted.setblocking(True)
        return accepted

    def _start(self, accepted: socket.socket) -> None:
        try:
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(self, accepted, len(self.connections))
        except OSError:  # Gone already.
            accepted.close()
            return
        with self.changed:
            self.connections.append(connection)
            self.changed.notify_all()
        threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        try:
            at_accept = getattr(self.mode, "at_accept", None)
            if at_accept:
                at_accept(connection)
                return
            if self.tls and not connection.start_tls(self.tls):
                return
            while self._serve_one(connection):
                pass
        except (http1.Cut, OSError, ValueError):
            pass
        finally:
            connection.cut()

    def _serve_one(self, connection: Connection) -> bool:
        if self.idle_timeout is not None and not connection.reader.buffer:
            readable, _, _ = select.select([connection.socket], [], [], self.idle_timeout)
            if not readable:
                connection.close()
                return False
        head = connection.reader.head()
        request = Recorded(now(), head, connection)
        with self.changed:
            self.recorded.append(request)
            self.changed.notify_all()
        mode = (self.probe_mode if request.is_probe else None) or self.mode
        exchange = Exchange(connection, request)
        mode(exchange)
        return exchange.keep and request.complete
