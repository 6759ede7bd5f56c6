"""HTTP/2 frame by frame: no state machine stands between the test and the wire."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from typing import Callable, Iterable, Iterator

from hpack import Decoder, Encoder
from hyperframe import frame as frames

from rig.clients import End, RawClient
from rig.timing import now
from rig.tls import client_context

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
FRAME_HEADER_BYTES = 9
FRAME_BYTES_MAX = 16_384
WINDOW_BYTES = 65_535

# Frame types and flags (RFC 9113 section 6).
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS = 0, 1, 2, 3, 4
PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 5, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS, PADDED, WITH_PRIORITY = 0x1, 0x1, 0x4, 0x8, 0x20

# Error codes (section 7).
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR = 0, 1, 2, 3
STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL = 5, 6, 7, 8
COMPRESSION_ERROR, ENHANCE_YOUR_CALM = 9, 11

# Settings (section 6.5.2).
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE = 1, 2, 3, 4
MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE = 5, 6

Fields = Iterable[tuple[str | bytes, str | bytes]]


@dataclass
class H2Stream:
    status: int | None = None
    fields: list[tuple[str, str]] = field(default_factory=list)
    informational: list[list[tuple[str, str]]] = field(default_factory=list)
    trailers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    body_len: int = 0
    on_data: Callable[[bytes], object] | None = None  #: Takes the body instead of `body`.
    ended: bool = False
    reset: int | None = None  #: The code of RST_STREAM.
    first_byte_at: float = 0.0
    done_at: float = 0.0
    window: int | None = None  #: What we may still send; None: nothing sent yet.

    @property
    def done(self) -> bool:
        return self.ended or self.reset is not None

    def get(self, name: str) -> str | None:
        return next(iter(self.get_all(name)), None)

    def get_all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key == name]

    @property
    def informational_statuses(self) -> list[int]:
        return [int(dict(fields)[":status"]) for fields in self.informational]

    def json(self):
        return json.loads(self.body)


def pseudo_fields(path="/", method="GET", authority="a.test", scheme="https") -> list:
    return [(":method", method), (":scheme", scheme), (":authority", authority), (":path", path)]


def literal_block(fields: Fields) -> bytes:
    """A header block of literals that are never indexed; leaves every encoder's state alone."""
    return b"".join(b"\x10" + _literal(name) + _literal(value) for name, value in fields)


def _literal(text: str | bytes) -> bytes:
    data = text.encode("latin-1") if isinstance(text, str) else text
    if len(data) < 127:
        return bytes([len(data)]) + data
    rest, head = len(data) - 127, b"\x7f"
    while rest >= 128:
        head, rest = head + bytes([rest % 128 + 128]), rest // 128
    return head + bytes([rest]) + data


def raw_frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    head = len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big")
    return head + payload


class H2Client:
    """Connects with ALPN h2. Reads frames on demand; answers PING and SETTINGS when told to.

    Other threads may send; only one may read."""

    def __init__(self, address: str, port: int, *, context=None, name: str | None = None,
                 settings: dict[int, int] | None = None, preface: bool = True, **more):
        context = context or client_context(alpn=["h2"])
        self.raw = RawClient(address, port, tls=context, name=name, **more)
        assert self.raw.tls.alpn == "h2"
        self.encoder, self.decoder = Encoder(), Decoder()
        self.streams: dict[int, H2Stream] = {}
        self.settings: dict[int, int] = {}
        self.settings_seen = 0
        self.goaway: frames.GoAwayFrame | None = None
        self.goaway_at: float | None = None
        self.pings: list[bytes] = []
        self.next_stream = 1
        self.window = WINDOW_BYTES  #: What we may still send on the connection.
        self.auto_acknowledge = preface  #: Before the preface an answer would be the preface.
        self.auto_window = True
        self._headers_of: tuple[int, bytes, bool] | None = None
        self._batch: list[bytes] | None = None
        if preface:
            self.raw.send(PREFACE)
            self.send_frame(frames.SettingsFrame(0, settings or {}))

    def __enter__(self) -> "H2Client":
        return self

    def __exit__(self, *_exc) -> None:
        self.raw.close()

    # --- sending --------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        if self._batch is not None:
            self._batch.append(data)
        else:
            self.raw.send(data)

    @contextlib.contextmanager
    def batched(self) -> Iterator[None]:
        """What is sent inside goes out at once at the end, as far as the server takes it."""
        self._batch = []
        try:
            yield
        finally:
            data, self._batch = b"".join(self._batch), None
            self.raw.send_quietly(data)

    def send_frame(self, frame: frames.Frame) -> None:
        self.write(frame.serialize())

    def send_raw_frame(self, kind: int, flags: int, stream: int, payload: bytes = b"") -> None:
        self.write(raw_frame(kind, flags, stream, payload))

    def new_stream(self) -> int:
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        self.streams[stream] = H2Stream()
        return stream

    def send_headers(self, fields: Fields, *, end: bool = True, stream: int | None = None) -> int:
        """A field section with exactly these fields; returns the stream's number."""
        return self.send_block(self.encoder.encode(list(fields)), end=end, stream=stream)

    def send_block(self, block: bytes, *, end: bool = True, stream: int | None = None,
                   piece: int = FRAME_BYTES_MAX, end_headers: bool = True) -> int:
        """HEADERS with the first `piece` bytes of this header block, CONTINUATIONs with more."""
        stream = stream or self.new_stream()
        pieces = [block[i : i + piece] for i in range(0, len(block), piece)] or [b""]
        for index, data in enumerate(pieces):
            flags = END_HEADERS if end_headers and index == len(pieces) - 1 else 0
            if index == 0:
                self.send_raw_frame(HEADERS, flags | (END_STREAM if end else 0), stream, data)
            else:
                self.send_raw_frame(CONTINUATION, flags, stream, data)
        return stream

    def send_request(self, path: str = "/", *, method: str = "GET", authority: str = "a.test",
                     fields: Fields = (), body: bytes | None = None, end: bool = True) -> int:
        """A request; `end` False leaves it open for more of a body."""
        whole = end and body is None
        stream = self.send_headers([*pseudo_fields(path, method, authority), *fields], end=whole)
        if body is not None:
            self.send_data(stream, body, end=end)
        return stream

    def send_data(self, stream: int, data: bytes, *, end: bool = True) -> None:
        """One DATA frame, whatever the windows say."""
        self.send_raw_frame(DATA, END_STREAM if end else 0, stream, data)
        self._spend(stream, len(data))

    def _spend(self, stream: int, size: int) -> None:
        known = self.streams.setdefault(stream, H2Stream())
        if known.window is None:
            known.window = self.settings.get(INITIAL_WINDOW_SIZE, WINDOW_BYTES)
        known.window -= size
        self.window -= size

    def upload(self, stream: int, data: bytes, *, end: bool = True) -> bool:
        """Sends all of `data` as the windows allow; False when the stream ended before."""
        self._spend(stream, 0)
        known, view = self.streams[stream], memoryview(data)
        while view:
            room = min(self.window, known.window, FRAME_BYTES_MAX)
            if room > 0:
                piece, view = view[:room], view[room:]
                self.send_data(stream, bytes(piece), end=end and not view)
            elif known.done or self.read_frame() is None:
                return False
        return True

    def send_reset(self, stream: int, code: int = CANCEL) -> None:
        self.send_frame(frames.RstStreamFrame(stream, code))

    def send_ping(self, data: bytes = b"12345678") -> None:
        self.send_frame(frames.PingFrame(0, data))

    def send_window(self, stream: int, size: int) -> None:
        self.send_raw_frame(WINDOW_UPDATE, 0, stream, size.to_bytes(4, "big"))

    # --- receiving ------------------------------------------------------------------------------

    def read_frame(self) -> frames.Frame | None:
        """The next frame, already accounted for; None at the end of the connection."""
        reader = self.raw.reader
        while len(reader.buffer) < FRAME_HEADER_BYTES:
            if not reader.fill():
                return None
        frame, length = frames.Frame.parse_frame_header(memoryview(reader.buffer[:9]))
        while len(reader.buffer) < FRAME_HEADER_BYTES + length:
            if not reader.fill():
                return None
        frame.parse_body(memoryview(reader.buffer[9 : 9 + length]))
        reader.buffer = reader.buffer[9 + length :]
        self._account(frame)
        return frame

    def _account(self, frame: frames.Frame) -> None:
        if isinstance(frame, frames.SettingsFrame):
            self._account_settings(frame)
        elif isinstance(frame, frames.PingFrame):
            if "ACK" in frame.flags:
                self.pings.append(frame.opaque_data)
            elif self.auto_acknowledge:
                self._answer(frames.PingFrame(0, frame.opaque_data, flags=["ACK"]))
        elif isinstance(frame, frames.GoAwayFrame):
            self.goaway, self.goaway_at = frame, now()
        elif isinstance(frame, frames.RstStreamFrame):
            stream = self._stream(frame)
            stream.reset, stream.done_at = frame.error_code, now()
        elif isinstance(frame, (frames.HeadersFrame, frames.ContinuationFrame)):
            self._account_headers(frame)
        elif isinstance(frame, frames.DataFrame):
            self._account_data(frame)
        elif isinstance(frame, frames.WindowUpdateFrame):
            self._account_window(frame)

    def _answer(self, frame: frames.Frame) -> None:
        self.raw.send_quietly(frame.serialize())

    def _stream(self, frame: frames.Frame) -> H2Stream:
        return self.streams.setdefault(frame.stream_id, H2Stream())

    def _account_settings(self, frame: frames.SettingsFrame) -> None:
        if "ACK" in frame.flags:
            return
        before = self.settings.get(INITIAL_WINDOW_SIZE, WINDOW_BYTES)
        self.settings.update(frame.settings)
        self.settings_seen += 1
        gained = self.settings.get(INITIAL_WINDOW_SIZE, WINDOW_BYTES) - before
        for stream in self.streams.values():
            if stream.window is not None:
                stream.window += gained
        if self.auto_acknowledge:
            self._answer(frames.SettingsFrame(0, flags=["ACK"]))

    def _account_window(self, frame: frames.WindowUpdateFrame) -> None:
        if frame.stream_id == 0:
            self.window += frame.window_increment
        else:
            self._spend(frame.stream_id, 0)
            self._stream(frame).window += frame.window_increment

    def _account_headers(self, frame) -> None:
        block, ended = frame.data, "END_STREAM" in frame.flags
        if self._headers_of:
            block, ended = self._headers_of[1] + block, self._headers_of[2]
        if "END_HEADERS" not in frame.flags:
            self._headers_of = (frame.stream_id, block, ended)
            return
        self._headers_of = None
        fields, stream = self.decoder.decode(block), self._stream(frame)
        stream.first_byte_at = stream.first_byte_at or now()
        status = dict(fields).get(":status")
        if status is None:
            stream.trailers = fields
        elif status.startswith("1"):
            stream.informational.append(fields)
        else:
            stream.status, stream.fields = int(status), fields
        self._note_end(stream, ended)

    def _note_end(self, stream: H2Stream, ended: bool) -> None:
        if ended:
            stream.ended, stream.done_at = True, now()

    def _account_data(self, frame: frames.DataFrame) -> None:
        stream = self._stream(frame)
        stream.body_len += len(frame.data)
        if stream.on_data:
            stream.on_data(frame.data)
        else:
            stream.body += frame.data
        self._note_end(stream, "END_STREAM" in frame.flags)
        if self.auto_window and frame.flow_controlled_length:
            size = frame.flow_controlled_length
            self._answer(frames.WindowUpdateFrame(0, size))
            if not stream.ended:
                self._answer(frames.WindowUpdateFrame(frame.stream_id, size))

    # --- together -------------------------------------------------------------------------------

    def read_until(self, condition: Callable[[], object]) -> bool:
        """Reads frames until `condition()`; False when the connection ended without it."""
        while not condition():
            if self.read_frame() is None:
                return bool(condition())
        return True

    def wait_for(self, *streams: int) -> H2Stream:
        """Reads until these streams are done (or the connection is); returns the first of them."""
        self.read_until(lambda: all(self.streams[stream].done for stream in streams))
        return self.streams[streams[0]]

    def wait_for_answer(self, stream: int) -> H2Stream:
        """Reads until the final response's header (or the stream's end) is there."""
        known = self.streams[stream]
        self.read_until(lambda: known.status is not None or known.done)
        return known

    def get(self, path: str = "/", **more) -> H2Stream:
        return self.wait_for(self.send_request(path, **more))

    def ping(self) -> None:
        """A PING and its answer: all that was sent before has been read by the server."""
        before = len(self.pings)
        self.send_ping()
        assert self.read_until(lambda: len(self.pings) > before), f"ended: {self.raw.end}"

    def expect_goaway(self, code: int) -> frames.GoAwayFrame:
        """A GOAWAY with this code, then the end of the connection."""
        self.read_until_end()
        assert self.goaway is not None, f"no GOAWAY before {self.raw.end}"
        assert self.goaway.error_code == code, self.goaway
        return self.goaway

    def read_until_end(self) -> End:
        while self.read_frame() is not None:
            pass
        return self.raw.end
