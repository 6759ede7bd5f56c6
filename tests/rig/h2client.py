"""HTTP/2 frame by frame: no state machine stands between the test and the wire."""

from __future__ import annotations

from dataclasses import dataclass, field

from hpack import Decoder, Encoder
from hyperframe import frame as frames

from rig.clients import RawClient
from rig.timing import now
from rig.tls import client_context

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
FRAME_HEADER_BYTES = 9


@dataclass
class H2Stream:
    status: int | None = None
    fields: list[tuple[str, str]] = field(default_factory=list)
    informational: list[list[tuple[str, str]]] = field(default_factory=list)
    trailers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    ended: bool = False
    reset: int | None = None

    @property
    def done(self) -> bool:
        return self.ended or self.reset is not None


class H2Client:
    """Connects with ALPN h2. Reads frames on demand; answers PING and SETTINGS when told to."""

    def __init__(self, address: str, port: int, *, context=None, name: str | None = None, **more):
        context = context or client_context(alpn=["h2"])
        self.raw = RawClient(address, port, tls=context, name=name, **more)
        assert self.raw.tls.alpn == "h2"
        self.encoder, self.decoder = Encoder(), Decoder()
        self.streams: dict[int, H2Stream] = {}
        self.settings: dict[int, int] = {}
        self.goaway: frames.GoAwayFrame | None = None
        self.goaway_at: float | None = None
        self.pings: list[bytes] = []
        self.next_stream = 1
        self.auto_acknowledge = True
        self.auto_window = True
        self._headers_of: tuple[int, bytes, bool] | None = None
        self.raw.send(PREFACE)
        self.send_frame(frames.SettingsFrame(0, {}))

    def __enter__(self) -> "H2Client":
        return self

    def __exit__(self, *_exc) -> None:
        self.raw.close()

    # --- sending --------------------------------------------------------------------------------

    def send_frame(self, frame: frames.Frame) -> None:
        self.raw.send(frame.serialize())

    def send_raw_frame(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        head = len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big")
        self.raw.send(head + payload)

    def send_headers(self, fields, *, end: bool = True, stream: int | None = None) -> int:
        """A HEADERS frame with exactly these fields; returns the stream's number."""
        if stream is None:
            stream, self.next_stream = self.next_stream, self.next_stream + 2
        self.streams.setdefault(stream, H2Stream())
        frame = frames.HeadersFrame(stream, self.encoder.encode(fields))
        frame.flags.add("END_HEADERS")
        if end:
            frame.flags.add("END_STREAM")
        self.send_frame(frame)
        return stream

    def send_request(self, path: str = "/", *, method: str = "GET", authority: str = "a.test",
                     fields=(), body: bytes | None = None) -> int:
        pseudo = [(":method", method), (":scheme", "https"), (":authority", authority),
                  (":path", path)]
        stream = self.send_headers([*pseudo, *fields], end=body is None)
        if body is not None:
            self.send_data(stream, body)
        return stream

    def send_data(self, stream: int, data: bytes, *, end: bool = True) -> None:
        frame = frames.DataFrame(stream, data)
        if end:
            frame.flags.add("END_STREAM")
        self.send_frame(frame)

    def send_reset(self, stream: int, code: int = 8) -> None:
        self.send_frame(frames.RstStreamFrame(stream, code))

    def send_ping(self, data: bytes = b"12345678") -> None:
        self.send_frame(frames.PingFrame(0, data))

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
            self.settings.update(frame.settings)
            if "ACK" not in frame.flags and self.auto_acknowledge:
                self.send_frame(frames.SettingsFrame(0, flags=["ACK"]))
        elif isinstance(frame, frames.PingFrame):
            if "ACK" in frame.flags:
                self.pings.append(frame.opaque_data)
            elif self.auto_acknowledge:
                self.send_frame(frames.PingFrame(0, frame.opaque_data, flags=["ACK"]))
        elif isinstance(frame, frames.GoAwayFrame):
            self.goaway, self.goaway_at = frame, now()
        elif isinstance(frame, frames.RstStreamFrame):
            self._stream(frame).reset = frame.error_code
        elif isinstance(frame, (frames.HeadersFrame, frames.ContinuationFrame)):
            self._account_headers(frame)
        elif isinstance(frame, frames.DataFrame):
            self._account_data(frame)

    def _stream(self, frame: frames.Frame) -> H2Stream:
        return self.streams.setdefault(frame.stream_id, H2Stream())

    def _account_headers(self, frame) -> None:
        block, ended = frame.data, "END_STREAM" in frame.flags
        if self._headers_of:
            block, ended = self._headers_of[1] + block, self._headers_of[2]
        if "END_HEADERS" not in frame.flags:
            self._headers_of = (frame.stream_id, block, ended)
            return
        self._headers_of = None
        fields, stream = self.decoder.decode(block), self._stream(frame)
        status = dict(fields).get(":status")
        if status is None:
            stream.trailers = fields
        elif status.startswith("1"):
            stream.informational.append(fields)
        else:
            stream.status, stream.fields = int(status), fields
        stream.ended = stream.ended or ended

    def _account_data(self, frame: frames.DataFrame) -> None:
        stream = self._stream(frame)
        stream.body += frame.data
        stream.ended = stream.ended or "END_STREAM" in frame.flags
        if self.auto_window and frame.flow_controlled_length:
            size = frame.flow_controlled_length
            self.send_frame(frames.WindowUpdateFrame(0, size))
            if not stream.ended:
                self.send_frame(frames.WindowUpdateFrame(frame.stream_id, size))

    def wait_for(self, *streams: int) -> H2Stream:
        """Reads until these streams are done (or the connection is); returns the first of them."""
        while not all(self.streams[s].done for s in streams):
            if self.read_frame() is None:
                break
        return self.streams[streams[0]]

    def read_until_end(self) -> None:
        while self.read_frame() is not None:
            pass
