#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets into corpus/. Run it when the tables it reads grow, and check
the result in. It never deletes: files named crash-* and slow-* are findings that stay.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

FUZZ = Path(__file__).resolve().parent
CORPUS = FUZZ / "corpus"
ROOT = FUZZ.parent.parent
sys.path.insert(0, str(FUZZ.parent))

from conformance import request_rows  # noqa: E402


def save(target: str, name: str, data: bytes) -> None:
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / re.sub(r"[^A-Za-z0-9_.-]", "_", name)).write_bytes(data)


def requests() -> None:
    for row in request_rows.REFUSED:
        save("h1_request", f"refused-{row.name}", row.data)
    for row in request_rows.ACCEPTED:
        save("h1_request", f"accepted-{row.name}", row.data)
    get = request_rows.line(b"GET / HTTP/1.1")
    save("h1_request", "pipelined", get + request_rows.chunked(b"3\r\nabc\r\n0\r\n\r\n") + get)
    save("h1_request", "upgrade", request_rows.with_field(
        b"Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="))
    for name, body in {
        "extension_twice": b"1;x=y;z\r\na\r\n1\r\na\r\n0\r\n\r\n",
        "extension_is_no_token": b"1; x=\xff,\r\na\r\n0;\r\n\r\n",
        "framing_in_trailers": b"1\r\na\r\n0\r\nTransfer-Encoding: chunked\r\n"
                               b"Content-Length: 7\r\n\r\n",
    }.items():
        save("h1_request", f"accepted-{name}", request_rows.chunked(body))
    save("h1_request", "expect", request_rows.post(
        b"Expect: 100-continue\r\nContent-Length: 2", b"ab"))


RESPONSES = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
               b"3;a=b\r\nabc\r\n0\r\nX-T: y\r\n\r\n",
    "until_close": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc",
    "http_1_0": b"HTTP/1.0 200 OK\r\n\r\nabc",
    "continue_then_final": b"HTTP/1.1 100 Continue\r\n\r\n"
                           b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "early_hints": b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"
                   b"HTTP/1.1 204 No Content\r\n\r\n",
    "not_modified_with_length": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    "no_reason": b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
    "empty_reason": b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
    "reason_with_high_bytes": b"HTTP/1.1 200 \xc3\xa4\r\nContent-Length: 0\r\n\r\n",
    "switching": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                 b"Connection: upgrade\r\n\r\n",
    "length_and_chunked": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
                          b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "length_twice": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "length_list": b"HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\nabc",
    "coding_unknown": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc",
    "chunked_in_1_0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "status_of_two_digits": b"HTTP/1.1 20 OK\r\n\r\n",
    "status_of_four_digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "status_099": b"HTTP/1.1 099 Odd\r\n\r\n",
    "status_999": b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n",
    "bare_lf": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "fold": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "space_before_colon": b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
    "no_http": b"SSH-2.0-OpenSSH_9.2\r\n",
    "http_2": b"HTTP/2 200\r\n\r\n",
    "set_cookie": b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nSet-Cookie: c=d\r\n"
                  b"Content-Length: 0\r\n\r\n",
}

COOKIES = {
    "one": b"a=b",
    "three": b"a=b; c=d; a=e",
    "quoted": b'a="b c"; d=e',
    "without_name": b"=b; a=c",
    "without_value": b"a; b=; c=d",
    "odd_separators": b"a=b;c=d ;; e=f;",
    "equals_in_value": b"a=b=c==; d",
    "high_bytes": b"\xc3\xa4=\xff; b=c",
    "set_session": b"JSESSIONID=0123; Path=/; HttpOnly",
    "set_max_age": b"a=b; Max-Age=3600; Secure; SameSite=Lax",
    "set_expires": b"a=b; Expires=Wed, 21 Oct 2026 07:28:00 GMT",
    "set_expires_with_dashes": b"a=b; expires=Wed, 21-Oct-26 07:28:00 GMT; MAX-AGE=-1",
    "set_max_age_huge": b"a=b; Max-Age=99999999999999999999; Max-Age=x",
}

URIS = {
    "host": b"Www.Example.Com.",
    "host_and_port": b"a.test:8080",
    "ipv6": b"[2001:DB8::1]:443",
    "ipv6_open": b"[::1",
    "port_too_large": b"a.test:65536",
    "dots": b"a/./b/../../c/..",
    "encoded_dots": b"a/%2e%2E/b/%2e/c",
    "encoded_slash": b"a%2Fb%2f..",
    "unreserved": b"%41%7e%30%2D",
    "escape_of_escape": b"a/%252e%252e/%2%65",
    "escapes_cut": b"a%/b%4/c%zz",
    "slashes": b"//a///b//",
    "query": b"a=b&c=d+e&&f&=g&h=i=j",
    "query_encoded": b"a%20b=%26%3d&%zz=%",
}

CIDRS = {
    "ipv4": b"192.0.2.1",
    "ipv4_prefix": b"192.0.2.77/24",
    "ipv4_all": b"0.0.0.0/0",
    "ipv4_host": b"10.0.0.1/32",
    "ipv4_too_long": b"10.0.0.1/33",
    "ipv4_octal": b"010.0.0.1",
    "ipv4_short": b"10.1",
    "ipv6": b"2001:db8::1",
    "ipv6_prefix": b"2001:db8:ffff::/47",
    "ipv6_all": b"::/0",
    "ipv6_full": b"2001:0db8:0000:0000:0000:ff00:0042:8329/128",
    "mapped": b"::ffff:192.0.2.1",
    "mapped_prefix": b"::ffff:192.0.2.1/120",
    "mapped_wide": b"::ffff:0:0/95",
    "zone": b"fe80::1%eth0",
    "brackets": b"[::1]",
    "length_missing": b"10.0.0.0/",
    "length_signed": b"10.0.0.0/+8",
    "length_padded": b"10.0.0.0/08",
    "spaces": b" 10.0.0.1 ",
}


def proxy_v2(command: int, family: int, block: bytes) -> bytes:
    return (b"\r\n\r\n\0\r\nQUIT\n" + bytes([command, family]) + len(block).to_bytes(2, "big")
            + block)


INET = bytes([192, 0, 2, 7, 10, 0, 0, 1, 16, 31, 0, 80])
INET6 = bytes.fromhex("20010db8" + "00" * 11 + "07" + "00" * 15 + "01" + "101f01bb")
PROXY_HEADERS = {
    "v1_tcp4": b"PROXY TCP4 192.0.2.7 10.0.0.1 4127 80\r\nGET / HTTP/1.1\r\n",
    "v1_tcp6": b"PROXY TCP6 2001:db8::7 ::1 4127 443\r\n",
    "v1_mapped": b"PROXY TCP6 ::ffff:192.0.2.7 ::1 4127 443\r\n",
    "v1_unknown": b"PROXY UNKNOWN\r\n",
    "v1_unknown_with_more": b"PROXY UNKNOWN ffff:f...f:ffff 65535\r\n",
    "v1_longest": b"PROXY UNKNOWN " + b"x" * 91 + b"\r\n",
    "v1_too_long": b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n",
    "v1_family_differs": b"PROXY TCP4 2001:db8::7 ::1 1 2\r\n",
    "v1_port_padded": b"PROXY TCP4 192.0.2.7 10.0.0.1 01 2\r\n",
    "v1_port_too_large": b"PROXY TCP4 192.0.2.7 10.0.0.1 65536 2\r\n",
    "v1_two_spaces": b"PROXY TCP4  192.0.2.7 10.0.0.1 1 2\r\n",
    "v1_bare_lf": b"PROXY TCP4 192.0.2.7 10.0.0.1 1 2\n",
    "v1_cut": b"PROXY TCP4 192.0.2.7 10",
    "v2_inet": proxy_v2(0x21, 0x11, INET) + b"\x16\x03\x01",
    "v2_inet6": proxy_v2(0x21, 0x21, INET6),
    "v2_datagram": proxy_v2(0x21, 0x12, INET),
    "v2_unix": proxy_v2(0x21, 0x31, b"/" * 216),
    "v2_unspecified": proxy_v2(0x21, 0x00, b""),
    "v2_local": proxy_v2(0x20, 0x00, b""),
    "v2_local_with_addresses": proxy_v2(0x20, 0x11, INET),
    "v2_extensions": proxy_v2(0x21, 0x11, INET + b"\x04\0\x02zz\x01\0\x02h2"),
    "v2_short": proxy_v2(0x21, 0x11, INET[:-1]),
    "v2_inet6_short": proxy_v2(0x21, 0x21, INET),
    "v2_version_1": proxy_v2(0x11, 0x11, INET),
    "v2_unknown_command": proxy_v2(0x22, 0x11, INET),
    "v2_unknown_family": proxy_v2(0x21, 0x41, INET),
    "v2_largest": proxy_v2(0x21, 0x11, INET + b"\0" * (4096 - 28)),
    "v2_too_large": proxy_v2(0x21, 0x11, INET + b"\0" * (4097 - 28)),
    "v2_cut": proxy_v2(0x21, 0x11, INET)[:20],
    "none": b"GET / HTTP/1.1\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01",
}


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def fields(*pairs: tuple[bytes, bytes]) -> bytes:
    """HPACK literals without indexing; all lengths are below 127."""
    return b"".join(b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value
                    for name, value in pairs)


DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, END_HEADERS, PADDED, WITH_PRIORITY = 1, 4, 8, 0x20


def head(method: bytes, *more: tuple[bytes, bytes], path: bytes = b"/") -> bytes:
    return fields((b":method", method), (b":scheme", b"https"), (b":path", path),
                  (b":authority", b"a.test"), *more)


GET = frame(HEADERS, END_STREAM | END_HEADERS, 1, head(b"GET"))
POST_HEAD = frame(HEADERS, END_HEADERS, 1, head(b"POST"))

SESSIONS = {
    "get": GET,
    "get_indexed": frame(HEADERS, 5, 1, b"\x82\x87\x84\x41\x06a.test"),
    "post": POST_HEAD + frame(DATA, END_STREAM, 1, b"abc"),
    "post_length": frame(HEADERS, END_HEADERS, 1, head(b"POST", (b"content-length", b"3")))
                   + frame(DATA, END_STREAM, 1, b"abc"),
    "post_length_too_long": frame(HEADERS, END_HEADERS, 1, head(b"POST", (b"content-length", b"3")))
                            + frame(DATA, END_STREAM, 1, b"abcd"),
    "post_length_too_short": frame(HEADERS, END_HEADERS, 1, head(b"POST", (b"content-length", b"3")))
                             + frame(DATA, END_STREAM, 1, b"ab"),
    "padded": POST_HEAD + frame(DATA, END_STREAM | PADDED, 1, b"\x02abc\0\0"),
    "trailers": POST_HEAD + frame(DATA, 0, 1, b"abc")
                + frame(HEADERS, END_STREAM | END_HEADERS, 1, fields((b"x-t", b"y"))),
    "trailers_with_pseudo_field": POST_HEAD
                + frame(HEADERS, END_STREAM | END_HEADERS, 1, fields((b":path", b"/"))),
    "continuation": frame(HEADERS, END_STREAM, 1, head(b"GET"))
                    + frame(CONTINUATION, END_HEADERS, 1, fields((b"x", b"y"))),
    "continuations_empty": frame(HEADERS, END_STREAM, 1, head(b"GET")) + frame(CONTINUATION, 0, 1) * 9,
    "reset": POST_HEAD + frame(RST, 0, 1, b"\0\0\0\x08"),
    "rapid_resets": b"".join(frame(HEADERS, 5, 2 * i + 1, head(b"GET"))
                             + frame(RST, 0, 2 * i + 1, b"\0\0\0\x08") for i in range(20)),
    "pings": frame(PING, 0, 0, b"12345678") * 20,
    "settings": frame(SETTINGS, 0, 0, b"\0\x04\0\0\0\0") + GET
                + frame(WINDOW, 0, 1, b"\0\0\0\x01"),
    "window_overflow": GET + frame(WINDOW, 0, 0, b"\x7f\xff\xff\xff") * 2,
    "window_zero": frame(WINDOW, 0, 0, b"\0\0\0\0"),
    "priority": frame(PRIORITY, 0, 3, b"\0\0\0\x01\x10") + GET,
    "priority_of_itself": frame(PRIORITY, 0, 1, b"\0\0\0\x01\x10"),
    "goaway": GET + frame(GOAWAY, 0, 0, b"\0\0\0\0\0\0\0\0"),
    "push": frame(PUSH, END_HEADERS, 1, b"\0\0\0\x02" + head(b"GET")),
    "even_stream": frame(HEADERS, 5, 2, head(b"GET")),
    "streams_backwards": frame(HEADERS, 5, 5, head(b"GET")) + frame(HEADERS, 5, 3, head(b"GET")),
    "data_on_idle": frame(DATA, 1, 1, b"abc"),
    "empty_data": POST_HEAD + frame(DATA, 0, 1) * 20,
    "unknown_frame": frame(0x42, 0xFF, 1, b"abc") + GET,
    "connection_field": frame(HEADERS, 5, 1, head(b"GET", (b"connection", b"close"))),
    "transfer_encoding": frame(HEADERS, 4, 1, head(b"POST", (b"transfer-encoding", b"chunked"))),
    "te_trailers": frame(HEADERS, 5, 1, head(b"GET", (b"te", b"trailers"))),
    "upper_case_name": frame(HEADERS, 5, 1, head(b"GET", (b"X", b"y"))),
    "line_end_in_value": frame(HEADERS, 5, 1, head(b"GET", (b"x", b"a\r\nb: c"))),
    "space_in_path": frame(HEADERS, 5, 1, head(b"GET", path=b"/a b")),
    "path_empty": frame(HEADERS, 5, 1, head(b"GET", path=b"")),
    "path_asterisk": frame(HEADERS, 5, 1, head(b"OPTIONS", path=b"*")),
    "path_missing": frame(HEADERS, 5, 1, fields((b":method", b"GET"), (b":scheme", b"https"))),
    "pseudo_field_twice": frame(HEADERS, 5, 1, head(b"GET", (b":path", b"/b"))),
    "pseudo_field_late": frame(HEADERS, 5, 1, fields((b"x", b"y")) + head(b"GET")),
    "pseudo_field_unknown": frame(HEADERS, 5, 1, head(b"GET", (b":protocol", b"websocket"))),
    "two_hosts": frame(HEADERS, 5, 1, head(b"GET", (b"host", b"b.test"))),
    "connect": frame(HEADERS, 4, 1, fields((b":method", b"CONNECT"), (b":authority", b"a:1"))),
    "connect_to_no_authority": frame(HEADERS, 4, 1, fields((b":method", b"CONNECT"),
                                                           (b":authority", b"a b@[/"))),
    "cookies": frame(HEADERS, 5, 1, head(b"GET", (b"cookie", b"a=b"), (b"cookie", b"c=d"))),
    "expect": frame(HEADERS, 4, 1, head(b"POST", (b"expect", b"100-continue")))
              + frame(DATA, 1, 1, b"a"),
    "hpack_bad_index": frame(HEADERS, 5, 1, b"\xff\xff\xff\xff\x0f"),
    "hpack_table_update": frame(HEADERS, 5, 1, b"\x20\x3f\xe1\x1f" + head(b"GET")),
    "half_a_frame": GET[:20],
    "too_large": (0x4001).to_bytes(3, "big") + b"\0\0\0\0\0\x01",
}


def certificates() -> None:
    for file in sorted((ROOT / "src/crypto/testdata").glob("*.pem")):
        save("certificate", file.name, file.read_bytes())
    leaf = (ROOT / "src/crypto/testdata/rsa2048.pem").read_bytes()
    save("certificate", "chain-of-two", leaf + leaf)
    save("certificate", "one-line", leaf.replace(b"\n", b" "))
    save("certificate", "text-around", b"subject: a\r\n" + leaf + b"the end")
    save("certificate", "cut", leaf[: len(leaf) // 2])
    save("certificate", "empty-block", b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n")
    save("certificate", "labels-differ", b"-----BEGIN A-----\nQQ==\n-----END B-----\n")


def main() -> None:
    requests()
    certificates()
    for target, table in (("h1_response", RESPONSES), ("cookie", COOKIES), ("uri", URIS),
                          ("cidr", CIDRS), ("proxy_header", PROXY_HEADERS)):
        for name, data in table.items():
            save(target, name, data)
    for name, data in SESSIONS.items():
        save("h2_session", name, b"\0" + data)
        save("h2_session", name + "-cut", b"\2" + data)


if __name__ == "__main__":
    main()
