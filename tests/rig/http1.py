"""A small HTTP/1 message reader for the rig. Lenient on purpose: it shows what was sent."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Callable, Iterator

HEAD_BYTES_MAX = 1 << 20

Fields = list[tuple[str, str]]


class Cut(Exception):
    """The peer ended the stream inside a message (or before it: `begun` is False)."""

    def __init__(self, begun: bool = True):
        super().__init__("stream ended")
        self.begun = begun


@dataclass
class Head:
    """Start line and fields as received; names keep their case and order."""

    start: str
    fields: Fields
    raw: bytes = b""

    def get(self, name: str, default: str | None = None) -> str | None:
        values = self.get_all(name)
        return values[0] if values else default

    def get_all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def has(self, name: str) -> bool:
        return bool(self.get_all(name))

    @property
    def chunked(self) -> bool:
        return "chunked" in (self.get("transfer-encoding") or "").lower()

    @property
    def content_length(self) -> int | None:
        value = self.get("content-length")
        return int(value) if value is not None and value.isdigit() else None


def parse_head(raw: bytes) -> Head:
    lines = raw.decode("latin-1").split("\r\n")
    fields = []
    for line in lines[1:]:
        if line:
            name, _, value = line.partition(":")
            fields.append((name, value.strip(" \t")))
    return Head(lines[0], fields, raw)


class Reader:
    """Buffered reading of messages from `receive()`, which returns b"" at the end of the stream."""

    def __init__(self, receive: Callable[[], bytes]):
        self._receive = receive
        self.buffer = b""

    def fill(self) -> bool:
        data = self._receive()
        self.buffer += data
        return bool(data)

    def head(self) -> Head:
        """The next head. Skips empty lines before it."""
        while True:
            self.buffer = self.buffer.lstrip(b"\r\n") if self.buffer[:2] == b"\r\n" else self.buffer
            end = self.buffer.find(b"\r\n\r\n")
            if end >= 0:
                raw, self.buffer = self.buffer[: end + 4], self.buffer[end + 4 :]
                return parse_head(raw)
            if len(self.buffer) > HEAD_BYTES_MAX or not self.fill():
                raise Cut(begun=bool(self.buffer))

    def take(self, size: int) -> Iterator[bytes]:
        """Exactly `size` bytes, in pieces as they come."""
        while size > 0:
            if not self.buffer and not self.fill():
                raise Cut()
            piece, self.buffer = self.buffer[:size], self.buffer[size:]
            size -= len(piece)
            yield piece

    def line(self) -> bytes:
        while b"\r\n" not in self.buffer:
            if not self.fill():
                raise Cut()
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line

    def chunks(self, trailers: Fields | None = None) -> Iterator[bytes]:
        while True:
            size = int(self.line().split(b";")[0], 16)
            if size == 0:
                break
            yield from self.take(size)
            if self.line() != b"":
                raise Cut()
        while line := self.line():
            if trailers is not None:
                name, _, value = line.decode("latin-1").partition(":")
                trailers.append((name, value.strip()))

    def until_end(self) -> Iterator[bytes]:
        while self.buffer or self.fill():
            piece, self.buffer = self.buffer, b""
            yield piece


@dataclass
class Response:
    """One final response with the informational ones before it."""

    status: int
    reason: str
    version: str
    head: Head
    body: bytes = b""
    complete: bool = False  #: The body ended as its framing says.
    informational: list[Head] = field(default_factory=list)
    trailers: Fields = field(default_factory=list)
    first_byte_at: float = 0.0
    done_at: float = 0.0

    def get(self, name: str) -> str | None:
        return self.head.get(name)

    def get_all(self, name: str) -> list[str]:
        return self.head.get_all(name)

    @property
    def keeps(self) -> bool:
        """The connection stays open after this response."""
        connection = ",".join(self.get_all("connection")).lower()
        return "close" not in connection and self.version == "HTTP/1.1"

    def json(self):
        return json.loads(self.body)

    @property
    def informational_statuses(self) -> list[int]:
        return [int(head.start.split(" ")[1]) for head in self.informational]


def request(
    target: str = "/",
    method: str = "GET",
    host: str = "a.test",
    fields: Fields | None = None,
    body: bytes | None = None,
) -> bytes:
    """A well-formed HTTP/1.1 request; a body gets its Content-Length unless framing is given."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
    given = fields or []
    lines += [f"{name}: {value}" for name, value in given]
    names = {name.lower() for name, _ in given}
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def chunk(data: bytes, extension: bytes = b"") -> bytes:
    return b"%x" % len(data) + extension + b"\r\n" + data + b"\r\n"


LAST_CHUNK = b"0\r\n\r\n"
