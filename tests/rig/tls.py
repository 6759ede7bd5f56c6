"""TLS as a client that sees everything: alerts by number, close_notify, suites and sessions.

Built on pyOpenSSL over memory: unlike Python's `ssl` it offers single TLS 1.3 suites, tells a bare
end from close_notify, and reports alerts in both directions.
"""

from __future__ import annotations

import socket
import struct
import threading
from dataclasses import dataclass, field

from OpenSSL import SSL, crypto

WIRE_VERSIONS = {"1.0": 0x0301, "1.1": 0x0302, "1.2": 0x0303, "1.3": 0x0304}
RECORD_ALERT, RECORD_HANDSHAKE = 21, 22
RECORD_HEADER_BYTES = 5
CLOSE_NOTIFY = 0
_CALLBACK_ALERT, _CALLBACK_READ = 0x4000, 0x04
_RECEIVE_BYTES = 1 << 17


class TlsAlert(Exception):
    """The peer ended TLS with an alert, or our side refused what the peer sent (`code` None)."""

    def __init__(self, code: int | None, text: str):
        super().__init__(f"alert {code}: {text}")
        self.code = code


class UnusableOffer(Exception):
    """Our own library cannot make this offer (a suite it lacks, or one that fits no version)."""


def client_context(
    *,
    ca: str | None = None,
    lowest: str = "1.0",
    highest: str = "1.3",
    ciphers: str | None = None,
    alpn: list[str] | None = None,
    sigalgs: str | None = None,
) -> SSL.Context:
    """A permissive context: security level 0. `ciphers` may name TLS 1.3 suites or older ones;
    with `ca` (PEM) the server's chain is verified."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(WIRE_VERSIONS[lowest])
    context.set_max_proto_version(WIRE_VERSIONS[highest])
    named = (ciphers or "").split(":")
    old = ":".join(name for name in named if not name.startswith("TLS_"))
    new = ":".join(name for name in named if name.startswith("TLS_"))
    try:
        context.set_cipher_list(((old or "ALL") + ":@SECLEVEL=0").encode())
    except SSL.Error as error:
        raise UnusableOffer(str(error)) from None
    if new and not SSL._lib.SSL_CTX_set_ciphersuites(context._context, new.encode()):
        raise UnusableOffer(new)
    if sigalgs and not SSL._lib.SSL_CTX_set1_sigalgs_list(context._context, sigalgs.encode()):
        raise UnusableOffer(sigalgs)
    if ca:
        authority = crypto.load_certificate(crypto.FILETYPE_PEM, ca.encode())
        context.get_cert_store().add_cert(authority)
        context.set_verify(SSL.VERIFY_PEER, lambda *arguments: bool(arguments[4]))
    if alpn:
        context.set_alpn_protos([name.encode() for name in alpn])
    return context


def present(context: SSL.Context, issued) -> SSL.Context:
    """Makes a client context present a certificate (`certs.Issued`)."""
    context.use_certificate(crypto.X509.from_cryptography(issued.certificate))
    for link in issued.chain:
        context.add_extra_chain_cert(crypto.X509.from_cryptography(link))
    context.use_privatekey(crypto.PKey.from_cryptography_key(issued.key))
    return context


def _note_alert(connection: SSL.Connection, where: int, value: int) -> None:
    layer = connection.get_app_data()
    if where & _CALLBACK_ALERT:
        received = where & _CALLBACK_READ
        (layer.alerts_received if received else layer.alerts_sent).append(value & 0xFF)


class TlsLayer:
    """TLS over a connected socket through memory. One thread may send while another receives."""

    def __init__(self, raw: socket.socket, context: SSL.Context, name: str | None = None,
                 session: SSL.Session | None = None):
        self.raw = raw
        self.alerts_received: list[int] = []
        self.alerts_sent: list[int] = []
        self.close_notify = False
        self.transport_ended = False
        self._lock = threading.Lock()  #: The TLS state; never held while the socket blocks.
        self._send_lock = threading.Lock()  #: Keeps records in order on the wire.
        self._outgoing: list[bytes] = []
        self.hello = b""  #: Our ClientHello as it went out, without record header.
        context.set_info_callback(_note_alert)
        self.connection = SSL.Connection(context, None)
        self.connection.set_app_data(self)
        self.connection.set_connect_state()
        if name:
            self.connection.set_tlsext_host_name(name.encode())
        if session:
            self.connection.set_session(session)

    def flush(self) -> None:
        """Sends what TLS has produced. Does not wait for another sender when there is nothing."""
        while self._outgoing:
            with self._send_lock:
                with self._lock:
                    data = b"".join(self._outgoing)
                    self._outgoing.clear()
                if data:
                    self.hello = self.hello or data[RECORD_HEADER_BYTES:]
                    self.raw.sendall(data)

    def _collect(self) -> None:
        while True:
            try:
                self._outgoing.append(self.connection.bio_read(_RECEIVE_BYTES))
            except SSL.WantReadError:
                return

    def _locked(self, operation):
        with self._lock:
            try:
                return operation()
            finally:
                self._collect()

    def _more(self) -> None:
        data = self.raw.recv(_RECEIVE_BYTES)
        with self._lock:
            if data:
                self.connection.bio_write(data)
            else:
                self.transport_ended = True
                self.connection.bio_shutdown()

    def _drive(self, operation):
        while True:
            try:
                result = self._locked(operation)
                self.flush()
                return result
            except SSL.WantReadError:
                self.flush()
                self._more()
            except SSL.Error as error:
                self._flush_quietly()
                fatal = [code for code in self.alerts_received if code != CLOSE_NOTIFY]
                if fatal:
                    raise TlsAlert(fatal[-1], repr(error)) from None
                raise

    def _flush_quietly(self) -> None:
        try:
            self.flush()
        except OSError:
            pass

    def handshake(self) -> None:
        """Raises TlsAlert; ConnectionResetError; ConnectionError when the other side just ends."""
        try:
            self._drive(self.connection.do_handshake)
        except SSL.SysCallError as error:
            raise ConnectionError(f"ended during the handshake: {error}") from None
        except SSL.Error as error:
            raise TlsAlert(None, repr(error)) from None

    def send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            piece = bytes(view[: 1 << 16])
            written = self._drive(lambda: self.connection.send(piece))
            view = view[written:]

    def receive(self) -> bytes:
        """Application data; b"" after close_notify (then `close_notify`) or a bare end."""
        try:
            return self._drive(lambda: self.connection.recv(_RECEIVE_BYTES))
        except SSL.ZeroReturnError:
            self.close_notify = True
            return b""
        except SSL.SysCallError:
            return b""
        except SSL.Error as error:
            if "unexpected eof" in repr(error):
                return b""
            raise

    def keep_session(self) -> None:
        """OpenSSL makes a session unusable when its connection is freed without a close_notify."""
        self.connection.set_shutdown(SSL.SENT_SHUTDOWN)

    @property
    def version(self) -> str:
        return self.connection.get_protocol_version_name()

    @property
    def cipher(self) -> str:
        return self.connection.get_cipher_name()

    @property
    def alpn(self) -> str:
        return self.connection.get_alpn_proto_negotiated().decode()

    @property
    def resumed(self) -> bool:
        return bool(SSL._lib.SSL_session_reused(self.connection._ssl))

    @property
    def peer_certificate(self):
        return self.connection.get_peer_certificate().to_cryptography()


# --- ClientHellos by hand: for offers that no client library makes ------------------------------

SUITES = {
    "ECDHE-ECDSA-AES256-GCM-SHA384": 0xC02C, "ECDHE-ECDSA-AES128-GCM-SHA256": 0xC02B,
    "ECDHE-ECDSA-AES128-SHA256": 0xC023, "ECDHE-ECDSA-AES256-SHA384": 0xC024,
    "ECDHE-ECDSA-AES128-SHA": 0xC009, "ECDHE-ECDSA-AES256-SHA": 0xC00A,
    "ECDHE-RSA-AES256-GCM-SHA384": 0xC030, "ECDHE-RSA-AES128-GCM-SHA256": 0xC02F,
    "AES128-GCM-SHA256": 0x009C, "AES256-GCM-SHA384": 0x009D,
    "ECDHE-RSA-AES128-SHA256": 0xC027, "AES128-SHA256": 0x003C, "AES256-SHA256": 0x003D,
    "ECDHE-RSA-AES256-SHA384": 0xC028, "ECDHE-RSA-AES128-SHA": 0xC013,
    "ECDHE-RSA-AES256-SHA": 0xC014, "AES128-SHA": 0x002F, "AES256-SHA": 0x0035,
    "DHE-RSA-AES128-SHA": 0x0033, "DHE-DSS-AES128-SHA": 0x0032, "CAMELLIA128-SHA": 0x0041,
    "EDH-RSA-DES-CBC3-SHA": 0x0016, "DES-CBC3-SHA": 0x000A, "ECDHE-RSA-RC4-SHA": 0xC011,
    "RC4-SHA": 0x0005, "DHE-RSA-AES256-SHA": 0x0039, "DHE-DSS-AES256-SHA": 0x0038,
    "DHE-RSA-CAMELLIA256-SHA": 0x0088, "DHE-DSS-CAMELLIA256-SHA": 0x0087,
    "CAMELLIA256-SHA": 0x0084, "EDH-DSS-DES-CBC3-SHA": 0x0013,
    "DHE-RSA-CAMELLIA128-SHA": 0x0045, "DHE-DSS-CAMELLIA128-SHA": 0x0044,
    "TLS_AES_128_GCM_SHA256": 0x1301, "TLS_AES_256_GCM_SHA384": 0x1302,
    "TLS_CHACHA20_POLY1305_SHA256": 0x1303, "TLS_AES_128_CCM_SHA256": 0x1304,
    "TLS_AES_128_CCM_8_SHA256": 0x1305,
}  # fmt: skip

_GROUPS = [0x001D, 0x0017, 0x0018, 0x0019, 0x0100]
_SIGNATURES = [
    0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201,
]  # fmt: skip
# A fixed X25519 public key: these hellos are only meant to be answered, never to be completed.
_X25519_PUBLIC = bytes.fromhex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")


def _extension(number: int, data: bytes) -> bytes:
    return struct.pack("!HH", number, len(data)) + data


def _list16(values: list[int]) -> bytes:
    return struct.pack("!H", 2 * len(values)) + b"".join(struct.pack("!H", v) for v in values)


def client_hello(version: str, suites: list[int], name: str | None = None) -> bytes:
    """The record of a ClientHello that offers just `version` and `suites`."""
    extensions = b""
    if name:
        host = name.encode("latin-1")
        entry = b"\x00" + struct.pack("!H", len(host)) + host
        extensions += _extension(0, struct.pack("!H", len(entry)) + entry)
    extensions += _extension(10, _list16(_GROUPS)) + _extension(11, b"\x01\x00")
    if version in ("1.2", "1.3"):
        extensions += _extension(13, _list16(_SIGNATURES))
    if version == "1.3":
        share = struct.pack("!HH", 0x001D, 32) + _X25519_PUBLIC
        extensions += _extension(43, b"\x02\x03\x04")
        extensions += _extension(51, struct.pack("!H", len(share)) + share)
    wire = min(WIRE_VERSIONS[version], 0x0303)
    session = bytes(range(32)) if version == "1.3" else b""
    body = struct.pack("!H", wire) + bytes(range(32)) + bytes([len(session)]) + session
    body += _list16(suites) + b"\x01\x00" + struct.pack("!H", len(extensions)) + extensions
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return struct.pack("!BHH", RECORD_HANDSHAKE, 0x0301, len(message)) + message


@dataclass
class ServerReply:
    """What came back to a ClientHello: an alert, a ServerHello, or nothing but the end."""

    alert: int | None = None
    suite: int | None = None
    version: int | None = None
    raw: bytes = field(default=b"", repr=False)


def answer_to_hello(raw: socket.socket, hello: bytes) -> ServerReply:
    """Sends `hello` and reads the first record of the answer."""
    raw.sendall(hello)
    data = b""
    while len(data) < 5 or len(data) < 5 + int.from_bytes(data[3:5], "big"):
        try:
            more = raw.recv(65536)
        except ConnectionResetError:
            more = b""
        if not more:
            return ServerReply(raw=data)
        data += more
    if data[0] == RECORD_ALERT:
        return ServerReply(alert=data[6], raw=data)
    if data[0] == RECORD_HANDSHAKE and data[5] == 2:
        session = data[43]
        suite = int.from_bytes(data[44 + session : 46 + session], "big")
        return ServerReply(suite=suite, version=int.from_bytes(data[9:11], "big"), raw=data)
    return ServerReply(raw=data)
