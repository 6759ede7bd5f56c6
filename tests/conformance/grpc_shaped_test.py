"""Traffic as gRPC shapes it, through an HTTP pool (data-plane.md 4.4, 4.8).

Length-prefixed messages both ways, the status in trailers, `te: trailers`. Pools of protocol GRPC
are another matter (4.10)."""

from __future__ import annotations

import struct

import pytest

from rig import http1, modes
from rig.h2client import CANCEL, INITIAL_WINDOW_SIZE
from rig.parallel import concurrently

CALL = [("te", "trailers"), ("content-type", "application/grpc+proto"),
        ("grpc-timeout", "10S"), ("grpc-encoding", "identity"),
        ("x-trace-bin", "AAECAwQ")]  # fmt: skip
OK = [("grpc-status", "0"), ("grpc-message", "")]


def message(data: bytes) -> bytes:
    return b"\0" + struct.pack("!I", len(data)) + data


def messages(stream: bytes) -> list[bytes]:
    found = []
    while stream:
        (size,) = struct.unpack("!I", stream[1:5])
        found.append(stream[5 : 5 + size])
        stream = stream[5 + size :]
    return found


def grpc_server() -> modes.Mode:
    """Echoes each message as soon as it has come, then the status in the trailers."""

    def serve(exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/grpc+proto\r\n"
                      b"Transfer-Encoding: chunked\r\nTrailer: grpc-status, grpc-message\r\n\r\n")
        buffer = b""
        for piece in exchange._pieces():
            buffer += piece
            while len(buffer) >= 5 and len(buffer) >= 5 + struct.unpack("!I", buffer[1:5])[0]:
                size = 5 + struct.unpack("!I", buffer[1:5])[0]
                whole, buffer = buffer[:size], buffer[size:]
                exchange.send(http1.chunk(whole))
        exchange.request.complete = True
        exchange.send(b"0\r\ngrpc-status: 0\r\ngrpc-message: \r\n\r\n")

    return serve


@pytest.fixture
def service(api, lb, certificate, backend):
    return api.make_service(lb, [backend(mode=grpc_server())], port=8443, certificate=certificate,
                            http2_enable=True)


@pytest.fixture
def member(service):
    return service.backends[0]


def call(client, path: str = "/echo.Echo/Call") -> int:
    return client.send_request(path, method="POST", fields=CALL, end=False)


def test_a_unary_call(service, member):
    with service.h2() as client:
        stream = call(client)
        client.send_data(stream, message(b"hello"))
        answer = client.wait_for(stream)
    assert (answer.status, answer.reset) == (200, None)
    assert messages(answer.body) == [b"hello"]
    assert answer.trailers == OK
    assert answer.get("content-type") == "application/grpc+proto"
    (seen,) = member.requests
    assert seen.get_all("te") == ["trailers"]
    for name, value in CALL[1:]:
        assert seen.get_all(name) == [value]
    assert seen.get("transfer-encoding") == "chunked"


def test_a_conversation_message_by_message(service):
    """Neither side may be held back until the other has finished."""
    with service.h2() as client:
        stream = call(client)
        answer = client.streams[stream]
        for number in range(20):
            client.send_data(stream, message(b"%03d" % number), end=False)
            client.read_until(lambda: len(answer.body) >= 8 * (number + 1) or answer.done)
            assert messages(answer.body)[-1:] == [b"%03d" % number]
        assert not answer.done
        client.send_data(stream, b"")
        assert client.wait_for(stream).trailers == OK


def test_many_calls_on_one_connection(service):
    with service.h2() as client:
        streams = [call(client, f"/echo.Echo/{number}") for number in range(60)]
        for number, stream in reversed(list(enumerate(streams))):
            client.send_data(stream, message(b"%d" % number))
        client.wait_for(*streams)
        answers = [client.streams[stream] for stream in streams]
    assert [messages(answer.body) for answer in answers] == [[b"%d" % n] for n in range(60)]
    assert [answer.trailers for answer in answers] == [OK] * 60


@pytest.mark.parametrize("status", ["5", "16"])
def test_an_error_without_messages(service, member, status):
    """Headers, no body, trailers at once."""
    member.set(modes.chunked([], [("grpc-status", status), ("grpc-message", "no%20such")]))
    with service.h2() as client:
        stream = call(client)
        client.send_data(stream, message(b"x"))
        answer = client.wait_for(stream)
    assert (answer.status, answer.body, answer.ended) == (200, b"", True)
    assert answer.trailers == [("grpc-status", status), ("grpc-message", "no%20such")]


def test_an_error_in_the_header_alone(service, member):
    """What gRPC calls trailers-only: the status comes with the header."""
    member.set(modes.fixed(b"", [("Content-Type", "application/grpc"), ("grpc-status", "12")]))
    with service.h2() as client:
        stream = call(client)
        client.send_data(stream, message(b"x"))
        answer = client.wait_for(stream)
    assert (answer.get("grpc-status"), answer.ended, answer.trailers) == ("12", True, [])


def test_a_stream_of_messages_with_a_small_window(service, member):
    """Trailers follow the data even when the client has to open its window for each piece."""
    many = [message(bytes([number]) * 3000) for number in range(50)]
    member.set(modes.chunked(many, OK[:1]))
    with service.h2(settings={INITIAL_WINDOW_SIZE: 1000}) as client:
        stream = call(client)
        client.send_data(stream, b"")
        answer = client.wait_for(stream)
    assert answer.body == b"".join(many)
    assert answer.trailers == OK[:1]


def test_a_large_upload_in_messages(service):
    with service.h2() as client:
        stream = call(client)
        block = message(b"u" * 100_000)
        for _ in range(10):
            assert client.upload(stream, block, end=False)
        client.send_data(stream, b"")
        answer = client.wait_for(stream)
    assert [len(each) for each in messages(answer.body)] == [100_000] * 10
    assert answer.trailers == OK


def test_a_cancelled_call_is_cancelled_at_the_backend(service, member):
    with service.h2() as client:
        stream = call(client)
        client.send_data(stream, message(b"x"), end=False)
        client.read_until(lambda: client.streams[stream].body)
        client.send_reset(stream, CANCEL)
        (seen,) = member.requests
        member.wait(lambda: seen.connection.ended_by_peer, 5)
        again = call(client)
        client.send_data(again, message(b"y"))
        assert client.wait_for(again).trailers == OK


def test_several_connections_at_once(service):
    def talk(number: int) -> list[bytes]:
        with service.h2() as client:
            stream = call(client, f"/{number}")
            client.send_data(stream, message(b"%d" % number))
            return messages(client.wait_for(stream).body)

    results = concurrently(*[lambda n=n: talk(n) for n in range(8)])
    assert results == [[b"%d" % number] for number in range(8)]
