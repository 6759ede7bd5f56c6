"""What a ClientHello says: the fields and the JA3 and JA4 fingerprints, computed independently.

JA3: github.com/salesforce/ja3; JA4: FoxIO's technical description of JA4 (TLS client).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

SERVER_NAME, GROUPS, POINT_FORMATS, SIGNATURES, ALPN, VERSIONS = 0, 10, 11, 13, 16, 43
JA4_VERSIONS = {0x0304: "13", 0x0303: "12", 0x0302: "11", 0x0301: "10"}


def is_grease(value: int) -> bool:
    """RFC 8701."""
    return value & 0x0F0F == 0x0A0A and value >> 8 == value & 0xFF


class _Bytes:
    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def take(self, size: int) -> bytes:
        piece = self.data[self.at : self.at + size]
        assert len(piece) == size, "cut ClientHello"
        self.at += size
        return piece

    def block(self, length_size: int) -> "_Bytes":
        return _Bytes(self.take(self.number(length_size)))

    def numbers(self, size: int = 2) -> list[int]:
        return [self.number(size) for _ in range((len(self.data) - self.at) // size)]

    @property
    def left(self) -> bool:
        return self.at < len(self.data)


@dataclass
class Hello:
    """A parsed ClientHello handshake message."""

    version: int
    suites: list[int]
    extensions: list[int] = field(default_factory=list)
    content: dict[int, bytes] = field(default_factory=dict)

    def list16(self, extension: int) -> list[int]:
        if extension not in self.content:
            return []
        return _Bytes(self.content[extension]).block(2).numbers()

    @property
    def versions(self) -> list[int]:
        if VERSIONS not in self.content:
            return [self.version]
        return _Bytes(self.content[VERSIONS]).block(1).numbers()

    @property
    def protocols(self) -> list[bytes]:
        if ALPN not in self.content:
            return []
        inner, found = _Bytes(self.content[ALPN]).block(2), []
        while inner.left:
            found.append(inner.block(1).data)
        return found


def parse(message: bytes) -> Hello:
    """`message` begins with the handshake header; what follows the ClientHello is ignored."""
    outer = _Bytes(message)
    assert outer.number(1) == 1, "no ClientHello"
    body = outer.block(3)
    version = body.number(2)
    body.take(32)
    body.block(1)
    hello = Hello(version, body.block(2).numbers())
    body.block(1)
    rest = body.block(2) if body.left else _Bytes(b"")
    while rest.left:
        number = rest.number(2)
        hello.extensions.append(number)
        hello.content[number] = rest.block(2).data
    return hello


def _without_grease(values: list[int]) -> list[int]:
    return [value for value in values if not is_grease(value)]


def ja3(message: bytes) -> str:
    hello = parse(message)
    formats = list(hello.content.get(POINT_FORMATS, b"\0")[1:])
    lists = [hello.suites, hello.extensions, hello.list16(GROUPS)]
    parts = ["-".join(map(str, _without_grease(values))) for values in lists]
    text = ",".join([str(hello.version), *parts, "-".join(map(str, formats))])
    return hashlib.md5(text.encode()).hexdigest()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12] if text else "0" * 12


def ja4(message: bytes) -> str:
    hello = parse(message)
    suites, extensions = _without_grease(hello.suites), _without_grease(hello.extensions)
    version = JA4_VERSIONS.get(max(_without_grease(hello.versions)), "00")
    named = "d" if SERVER_NAME in hello.extensions else "i"
    first = hello.protocols[0].decode() if hello.protocols else ""
    alpn = first[0] + first[-1] if first else "00"
    head = f"t{version}{named}{min(len(suites), 99):02}{min(len(extensions), 99):02}{alpn}"
    sorted_suites = ",".join(sorted(f"{value:04x}" for value in suites))
    hashed = sorted(f"{value:04x}" for value in extensions if value not in (SERVER_NAME, ALPN))
    signatures = [f"{value:04x}" for value in _without_grease(hello.list16(SIGNATURES))]
    tail = ",".join(hashed) + ("_" + ",".join(signatures) if signatures else "")
    return f"{head}_{_digest(sorted_suites)}_{_digest(tail)}"
