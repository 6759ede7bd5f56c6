"""Clients with control of every byte, over TCP or TLS."""

from __future__ import annotations

import enum
import socket
import struct
from dataclasses import dataclass
from typing import Iterator

from OpenSSL import SSL

from rig import http1
from rig.timing import now
from rig.tls import TlsAlert, TlsLayer, client_context

RECEIVE_BYTES = 1 << 17


class How(enum.Enum):
    """How the other side ended a connection."""

    FIN = "fin"  #: TCP: orderly. TLS: FIN without close_notify (cut).
    CLOSE_NOTIFY = "close_notify"  #: TLS: close_notify, then the end of TCP.
    RST = "rst"
    ALERT = "alert"


@dataclass
class End:
    how: How
    at: float
    alert: int | None = None

    @property
    def orderly(self) -> bool:
        return self.how in (How.FIN, How.CLOSE_NOTIFY)


class Timeout(AssertionError):
    """The other side did nothing for longer than the test is ready to wait."""


class RawClient:
    """One client connection. `tls` True or a context makes it TLS; `timeout` bounds each wait.
    `ahead` is sent before everything, TLS included."""

    def __init__(
        self,
        address: str,
        port: int,
        *,
        tls: SSL.Context | bool | None = None,
        name: str | None = None,
        source: str | None = None,
        timeout: float = 20.0,
        session: SSL.Session | None = None,
        receive_buffer: int | None = None,
        ahead: bytes = b"",
    ):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.settimeout(timeout)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            self.socket.bind((source, 0))
        self.connecting_at = now()
        self.socket.connect((address, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connected_at = now()
        self.end: End | None = None
        self.was_reset = False
        self.tls: TlsLayer | None = None
        self.reader = http1.Reader(self.receive)
        if ahead:
            self.socket.sendall(ahead)
        if tls:
            context = client_context() if tls is True else tls
            self._start_tls(context, name, session)
        self.ready_at = now()

    def _start_tls(self, context, name, session) -> None:
        self.tls = TlsLayer(self.socket, context, name, session)
        try:
            self.tls.handshake()
        except BaseException:
            self.socket.close()
            raise

    def __enter__(self) -> "RawClient":
        return self

    def __exit__(self, *_exc) -> None:
        self.close()

    # --- sending --------------------------------------------------------------------------------

    def send(self, data: bytes) -> "RawClient":
        if self.tls:
            self.tls.send(data)
        else:
            self.socket.sendall(data)
        return self

    def send_quietly(self, data: bytes) -> bool:
        """Sends although the other side may have closed; False when it has."""
        try:
            self.send(data)
            return True
        except ConnectionResetError:
            self.was_reset = True  # The kernel tells it once: the next read would find an end.
            return False
        except (OSError, SSL.Error, TlsAlert):
            return False

    def half_close(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        if self.tls:
            self.tls.keep_session()
        self.socket.close()

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    # --- receiving ------------------------------------------------------------------------------

    def receive(self) -> bytes:
        """Some bytes; b"" at the end, which `end` then describes."""
        if self.end:
            return b""
        try:
            data = self.tls.receive() if self.tls else self.socket.recv(RECEIVE_BYTES)
        except TimeoutError:
            raise Timeout(f"nothing received for {self.socket.gettimeout()} s") from None
        except ConnectionResetError:
            self.end = End(How.RST, now())
            return b""
        except TlsAlert as alert:
            self.end = End(How.ALERT, now(), alert.code)
            return b""
        if not data:
            self.end = self._orderly_end()
        return data

    def _orderly_end(self) -> End:
        if self.was_reset:
            return End(How.RST, now())
        if not self.tls or not self.tls.close_notify:
            return End(How.FIN, now())
        at = now()
        while not self.tls.transport_ended:  # The FIN must follow the close_notify.
            try:
                if not self.socket.recv(RECEIVE_BYTES):
                    break
            except TimeoutError:
                raise Timeout("close_notify without FIN") from None
            except ConnectionResetError:
                break
        return End(How.CLOSE_NOTIFY, at)

    def read_rest(self) -> bytes:
        """Everything up to the end of the connection."""
        return b"".join(self.reader.until_end())

    def expect_end(self) -> End:
        """The end of the connection, with not a byte before it."""
        rest = self.read_rest()
        assert rest == b"", f"unexpected bytes before the end: {rest[:200]!r}"
        assert self.end
        return self.end

    def expect_silence(self, seconds: float) -> None:
        """Nothing arrives and nothing ends for `seconds`."""
        before = self.socket.gettimeout()
        self.socket.settimeout(seconds)
        try:
            data = self.reader.buffer or self.receive()
            raise AssertionError(f"expected silence, got {data[:200]!r} {self.end}")
        except Timeout:
            pass
        finally:
            self.socket.settimeout(before)

    def read_response(self, method: str = "GET") -> http1.Response:
        """The next final response. A cut one comes back with `complete` False."""
        response = self.start_response()
        pieces: list[bytes] = []
        for piece in self.body_pieces(response, method):
            pieces.append(piece)
        response.body = b"".join(pieces)
        response.done_at = now()
        return response

    def start_response(self) -> http1.Response:
        """The head of the next final response; the body is still to be read."""
        informational: list[http1.Head] = []
        while True:
            if not self.reader.buffer:
                self.reader.fill()
            first_byte_at = now()
            head = self.reader.head()
            version, _, rest = head.start.partition(" ")
            code, _, reason = rest.partition(" ")
            if code == "101" or not code.startswith("1"):
                break
            informational.append(head)
        response = http1.Response(int(code), reason, version, head, informational=informational)
        response.first_byte_at = first_byte_at
        return response

    def body_pieces(self, response: http1.Response, method: str = "GET") -> Iterator[bytes]:
        """The body as it arrives; afterwards `response.complete` tells whether it was whole."""
        head = response.head
        if method == "HEAD" or response.status in (101, 204, 304):
            response.complete = True
            return
        try:
            if head.chunked:
                yield from self.reader.chunks(response.trailers)
            elif head.content_length is not None:
                yield from self.reader.take(head.content_length)
            else:
                yield from self.reader.until_end()
            delimited = head.chunked or head.content_length is not None
            response.complete = delimited or bool(self.end and self.end.orderly)
        except http1.Cut:
            pass

    # --- together -------------------------------------------------------------------------------

    def get(self, target: str = "/", **more) -> http1.Response:
        return self.exchange(http1.request(target, **more), more.get("method", "GET"))

    def exchange(self, data: bytes, method: str = "GET") -> http1.Response:
        self.send(data)
        return self.read_response(method)

    # --- what TLS agreed on ---------------------------------------------------------------------

    @property
    def peer_serial(self) -> int:
        return self.tls.peer_certificate.serial_number

    @property
    def session(self) -> SSL.Session:
        return self.tls.connection.get_session()
