"""The fingerprints against the examples that their authors publish."""

from __future__ import annotations

import struct

from rig import fingerprint
from rig.tls import SUITES, client_hello


def list16(values: list[int]) -> bytes:
    return struct.pack("!H", 2 * len(values)) + b"".join(struct.pack("!H", v) for v in values)


def hello(version: int, suites: list[int], extensions: dict[int, bytes]) -> bytes:
    data = b"".join(struct.pack("!HH", number, len(content)) + content
                    for number, content in extensions.items())  # fmt: skip
    body = struct.pack("!H", version) + bytes(32) + b"\0" + list16(suites) + b"\1\0"
    body += struct.pack("!H", len(data)) + data
    return b"\1" + len(body).to_bytes(3, "big") + body


def test_ja3_of_its_authors_example():
    """769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0"""
    suites = [47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4]
    extensions = {0: b"", 10: list16([23, 24, 25]), 11: b"\1\0"}
    assert fingerprint.ja3(hello(769, suites, extensions)) == "ada70206e40642a3e4461f35503241d5"


def test_ja4_of_its_authors_example():
    """A Chrome; GREASE is left out, suites and extensions are sorted."""
    suites = [0x1A1A, 0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8,
              0xC013, 0xC014, 0x009C, 0x009D, 0x002F, 0x0035]  # fmt: skip
    signatures = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601]
    extensions = {number: b"" for number in (0x2A2A, 0x001B, 0x0000, 0x0033, 0x4469, 0x0017,
                                             0x002D, 0x0005, 0x0023, 0x0012, 0xFF01, 0x0015)}
    extensions[0x002B] = b"\4\x03\x04\x03\x03"
    extensions[0x000D] = list16(signatures)
    extensions[0x0010] = b"\0\x0c\2h2\x08http/1.1"
    extensions[0x000A] = list16([0x1D])
    extensions[0x000B] = b"\1\0"
    assert fingerprint.ja4(hello(0x0303, suites, extensions)) == \
        "t13d1516h2_8daaf6152771_e5627efa2ab1"


def test_a_parsed_hello_shows_what_was_offered():
    record = client_hello("1.3", [SUITES["TLS_AES_128_GCM_SHA256"]], "a.test")
    parsed = fingerprint.parse(record[5:])
    assert (parsed.suites, parsed.versions) == ([0x1301], [0x0304])
    assert parsed.extensions == [0, 10, 11, 13, 43, 51]
    assert fingerprint.ja4(record[5:]).startswith("t13d010600_")
