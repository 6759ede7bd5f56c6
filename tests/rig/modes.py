"""What a scripted member does with a request. A mode is a callable that takes an `Exchange`.

`door` marks modes of the listening socket, `at_accept` those that act before any byte is read.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import threading
from typing import Callable, Iterable

from rig import http1
from rig.backend import Connection, Exchange

FOREVER = 3600.0
Mode = Callable[[Exchange], None]


def ok(status: int = 200, fields: http1.Fields | None = None) -> Mode:
    """Reads the request and answers with JSON that describes it."""

    def answer(exchange: Exchange) -> None:
        exchange.read_body()
        request = exchange.request
        described = {
            "id": exchange.backend.name,
            "port": exchange.backend.port,
            "method": request.method,
            "target": request.target,
            "headers": request.headers,
            "body_len": request.body_len,
            "body_sha256": request.body_sha256,
            "peer": exchange.connection.peer[0],
        }
        content_type = [("Content-Type", "application/json")]
        exchange.respond(status, json.dumps(described).encode(), content_type + (fields or []))

    return answer


def status(code: int, body: bytes = b"scripted", fields: http1.Fields | None = None) -> Mode:
    def answer(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.respond(code, body, fields)

    return answer


def fixed(body: bytes, fields: http1.Fields | None = None) -> Mode:
    return status(200, body, fields)


def echo() -> Mode:
    """Sends the body back (up to 256 KiB)."""

    def answer(exchange: Exchange) -> None:
        exchange.respond(200, exchange.read_body())

    return answer


def hang(read_body: bool = True) -> Mode:
    """Accepts and reads, never answers; ends when the peer does."""

    def wait(exchange: Exchange) -> None:
        if read_body:
            exchange.read_body()
        exchange.wait(FOREVER)
        exchange.keep = False

    return wait


def slow(seconds: float, then: Mode | None = None) -> Mode:
    """Answers after `seconds`, unless the peer has left."""

    def answer(exchange: Exchange) -> None:
        exchange.read_body()
        if exchange.wait(seconds):
            exchange.keep = False
        else:
            (then or ok())(exchange)

    return answer


def held(gate: threading.Event, then: Mode | None = None) -> Mode:
    """Answers once `gate` is set."""

    def answer(exchange: Exchange) -> None:
        exchange.read_body()
        while not gate.is_set() and not exchange.wait(0.02):
            pass
        (then or ok())(exchange)

    return answer


def rst() -> Mode:
    """Reads the request, then RST."""

    def reset(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.reset()

    return reset


def close() -> Mode:
    """Reads the request, then FIN."""

    def end(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.close()

    return end


def stop_reading() -> Mode:
    """Reads the head and never another byte."""
    return hang(read_body=False)


def raw(data: bytes, then: str = "keep") -> Mode:
    """Answers with exactly `data`; `then` is `keep`, `close`, `cut`, `reset` or `hang`."""

    def answer(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.send(data)
        if then == "hang":
            exchange.wait(FOREVER)
        if then != "keep":
            getattr(exchange, {"hang": "cut"}.get(then, then))()

    return answer


def junk(data: bytes = b"\x00\x01these are not the bytes you want\r\n\r\n") -> Mode:
    return raw(data, "close")


def trunc(declared: int = 1000, sent: int = 100, how: str = "close") -> Mode:
    """A Content-Length larger than what follows."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % declared
    return raw(head + b"x" * sent, how)


def trunc_chunked(sent: int = 100) -> Mode:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return raw(head + http1.chunk(b"x" * sent), "close")


def dribble(interval: float, count: int, declared: int | None = None, gaps: list | None = None):
    """Header at once, then `count` single bytes; stays silent when `declared` promises more.

    `gaps` receives the seconds between the writes as they really were."""

    def answer(exchange: Exchange) -> None:
        from rig.timing import now

        exchange.read_body()
        length = count if declared is None else declared
        last = now()
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length)
        for _ in range(count):
            if exchange.wait(max(0.0, last + interval - now())):
                raise http1.Cut()
            if gaps is not None:
                gaps.append(now() - last)
            last = now()
            exchange.send(b".")
        if length > count:
            exchange.wait(FOREVER)
            exchange.keep = False

    return answer


def chunked(parts: Iterable[bytes], trailers: http1.Fields | None = None) -> Mode:
    def answer(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for part in parts:
            exchange.send(http1.chunk(part))
        lines = "".join(f"{name}: {value}\r\n" for name, value in trailers or [])
        exchange.send(b"0\r\n" + lines.encode() + b"\r\n")

    return answer


def close_delimited(body: bytes) -> Mode:
    return raw(b"HTTP/1.1 200 OK\r\n\r\n" + body, "close")


def stream(size: int, block: bytes, digests: list | None = None) -> Mode:
    """`size` bytes made of `block`; appends their SHA-256 to `digests` when they are out."""

    def answer(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        digest, left = hashlib.sha256(), size
        while left:
            piece = block[: min(left, len(block))]
            digest.update(piece)
            exchange.send(piece)
            left -= len(piece)
        if digests is not None:
            digests.append(digest.hexdigest())

    return answer


def continue_then(then: Mode | None = None, delay: float = 0.0) -> Mode:
    """Sends 100 Continue after `delay`, then answers."""

    def answer(exchange: Exchange) -> None:
        if delay and exchange.wait(delay):
            raise http1.Cut()
        exchange.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        (then or ok())(exchange)

    return answer


def answer_unread(code: int, body: bytes = b"no") -> Mode:
    """A final answer without reading the body; then reads nothing and waits for the peer."""

    def answer(exchange: Exchange) -> None:
        exchange.respond(code, body)
        exchange.wait(FOREVER)
        exchange.keep = False

    return answer


def early_hints(hints: http1.Fields, then: Mode | None = None) -> Mode:
    def answer(exchange: Exchange) -> None:
        exchange.read_body()
        lines = "".join(f"{name}: {value}\r\n" for name, value in hints)
        exchange.send(b"HTTP/1.1 103 Early Hints\r\n" + lines.encode() + b"\r\n")
        (then or ok())(exchange)

    return answer


def sequence(*scripted: Mode) -> Mode:
    """The first request gets the first mode, …, the last mode stays."""
    turns = itertools.count()

    def answer(exchange: Exchange) -> None:
        scripted[min(next(turns), len(scripted) - 1)](exchange)

    return answer


def by_target(table: dict[str, Mode], otherwise: Mode | None = None) -> Mode:
    """Chooses by the path of the request."""

    def answer(exchange: Exchange) -> None:
        path = exchange.request.target.split("?")[0]
        table.get(path, otherwise or ok())(exchange)

    return answer


def websocket_echo() -> Mode:
    """Accepts a WebSocket upgrade, echoes data frames, answers ping and close (RFC 6455)."""

    def answer(exchange: Exchange) -> None:
        exchange.read_body()
        key = exchange.request.get("sec-websocket-key") or ""
        accept = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        fields = [
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", base64.b64encode(accept).decode()),
        ]
        exchange.respond(101, fields=fields, reason="Switching Protocols")
        exchange.keep = False
        while _echo_frame(exchange):
            pass

    return answer


def _echo_frame(exchange: Exchange) -> bool:
    def take(size: int) -> bytes:
        return b"".join(exchange.connection.reader.take(size))

    first, second = take(2)
    size = second & 0x7F
    if size >= 126:
        size = int.from_bytes(take(2 if size == 126 else 8), "big")
    mask = take(4) if second & 0x80 else bytes(4)
    payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(take(size)))
    opcode = first & 0x0F
    if opcode == 9:  # Ping is answered by pong.
        first = first & 0xF0 | 10
    exchange.send(websocket_frame(first, payload))
    return opcode != 8


def websocket_frame(first: int, payload: bytes) -> bytes:
    """An unmasked frame with `first` as its first byte."""
    if len(payload) < 126:
        return bytes([first, len(payload)]) + payload
    if len(payload) < 1 << 16:
        return bytes([first, 126]) + len(payload).to_bytes(2, "big") + payload
    return bytes([first, 127]) + len(payload).to_bytes(8, "big") + payload


class _Door:
    """A state of the listening socket."""

    def __init__(self, door: str):
        self.door = door

    def __call__(self, exchange: Exchange) -> None:
        exchange.reset()


refuse = _Door("refuse")
blackhole = _Door("blackhole")


class _AtAccept:
    """Acts on the connection before any byte of it is read."""

    def __init__(self, action: Callable[[Connection], None]):
        self.at_accept = action

    def __call__(self, exchange: Exchange) -> None:
        exchange.reset()


def accept_then_close() -> _AtAccept:
    return _AtAccept(lambda connection: connection.cut())


def accept_then_reset() -> _AtAccept:
    return _AtAccept(lambda connection: connection.reset())


def accept_then_hang() -> _AtAccept:
    return _AtAccept(lambda connection: connection.wait(FOREVER))


def accept_then_send(data: bytes) -> _AtAccept:
    """Sends `data` before the client said anything, then waits for its end."""

    def speak(connection: Connection) -> None:
        connection.send(data)
        connection.wait(FOREVER)

    return _AtAccept(speak)
