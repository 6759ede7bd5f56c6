"""The rig tested against itself: clients talk to scripted members without a daemon between."""

import hashlib
import threading

import pytest

from rig import certs, http1, modes
from rig.clients import How, RawClient
from rig.timing import now
from rig.tls import SUITES, TlsAlert, answer_to_hello, client_context, client_hello


def connect(member, **more):
    return RawClient(member.address, member.port, **more)


@pytest.fixture
def plain(backend):
    return backend()


@pytest.fixture(scope="module")
def issued():
    return certs.Authority().issue("a.test", key="ec")


@pytest.fixture
def secure(backend, issued):
    return backend(tls=certs.server_context(issued))


def test_ok_describes_the_request_and_keeps_the_connection(plain):
    with connect(plain) as client:
        first = client.exchange(http1.request("/x?y", "POST", fields=[("X-A", "1")], body=b"abc"))
        second = client.get("/second")
    assert (first.status, first.json()["target"], first.json()["body_len"]) == (200, "/x?y", 3)
    assert first.json()["body_sha256"] == hashlib.sha256(b"abc").hexdigest()
    assert ["X-A", "1"] in first.json()["headers"]
    assert second.json()["id"] == plain.name
    assert len(plain.connections) == 1
    assert plain.targets == ["/x?y", "/second"]


def test_a_chunked_request_is_read_to_its_end(plain):
    body = http1.chunk(b"abc") + http1.chunk(b"defg", b";x=y") + b"0\r\nT: v\r\n\r\n"
    with connect(plain) as client:
        fields = [("Transfer-Encoding", "chunked")]
        answer = client.exchange(http1.request("/", "POST", fields=fields, body=body))
    assert answer.json()["body_len"] == 7
    assert plain.requests[0].trailers == [("T", "v")]


@pytest.mark.parametrize(
    "mode, how", [(modes.rst(), How.RST), (modes.close(), How.FIN)], ids=["rst", "close"]
)
def test_a_member_ends_the_connection_as_told(plain, mode, how):
    plain.set(mode)
    with connect(plain) as client:
        client.send(http1.request())
        assert client.expect_end().how is how


def test_close_over_tls_sends_close_notify_and_cut_does_not(secure):
    for mode, how in ((modes.close(), How.CLOSE_NOTIFY), (modes.raw(b"", "cut"), How.FIN)):
        secure.set(mode)
        with connect(secure, tls=True) as client:
            client.send(http1.request())
            assert client.expect_end().how is how


def test_hang_notices_when_the_client_leaves(plain):
    plain.set(modes.hang())
    client = connect(plain)
    client.send(http1.request())
    plain.wait_for_requests(1)
    client.expect_silence(0.05)
    client.close()
    plain.wait(lambda: plain.connections[0].ended_by_peer == "fin", 2)


def test_slow_answers_after_its_time(plain):
    plain.set(modes.slow(0.2))
    started = now()
    with connect(plain) as client:
        assert client.get().status == 200
    assert 0.2 <= now() - started < 2


def test_refuse_and_listen_again_on_the_same_port(plain):
    plain.set(modes.refuse)
    with pytest.raises(ConnectionRefusedError):
        connect(plain)
    plain.set(modes.ok())
    with connect(plain) as client:
        assert client.get().status == 200


def test_blackhole_drops_connections_until_it_is_lifted(plain):
    with connect(plain) as client:
        client.get()
        plain.set(modes.blackhole)
        assert client.expect_end().how is How.FIN
    for _ in range(3):
        with pytest.raises(TimeoutError):
            connect(plain, timeout=0.2)
    plain.set(modes.ok())
    with connect(plain) as client:
        assert client.get("/after").status == 200
    assert plain.targets[-1] == "/after"


def test_a_cut_body_is_told_from_a_complete_one(plain):
    for mode, length in ((modes.trunc(50, 10), 10), (modes.trunc_chunked(10), 10)):
        plain.set(mode)
        with connect(plain) as client:
            answer = client.get()
        assert (answer.status, len(answer.body), answer.complete) == (200, length, False)
    plain.set(modes.close_delimited(b"whole"))
    with connect(plain) as client:
        answer = client.get()
    assert (answer.body, answer.complete) == (b"whole", True)


def test_dribble_keeps_its_pace(plain):
    gaps: list = []
    plain.set(modes.dribble(0.05, 4, gaps=gaps))
    with connect(plain) as client:
        assert client.get().body == b"...."
    assert len(gaps) == 4 and all(0.04 < gap < 1 for gap in gaps)


def test_informational_answers_come_before_the_final_one(plain):
    plain.set(modes.early_hints([("Link", "</a.css>")]))
    with connect(plain) as client:
        answer = client.get()
        assert answer.informational_statuses == [103]
        assert answer.informational[0].get("link") == "</a.css>"
        plain.set(modes.continue_then())
        fields = [("Expect", "100-continue"), ("Content-Length", "2")]
        client.send(http1.request("/", "POST", fields=fields))
        plain.wait_for_requests(2)
        assert client.send(b"hi").read_response().json()["body_len"] == 2


def test_chunked_answers_and_trailers(plain):
    plain.set(modes.chunked([b"ab", b"cd"], [("X-T", "1")]))
    with connect(plain) as client:
        answer = client.get()
    assert (answer.body, answer.trailers, answer.complete) == (b"abcd", [("X-T", "1")], True)


def test_a_large_stream_arrives_whole(plain):
    digests: list = []
    plain.set(modes.stream(5_000_000, b"abcdefg" * 10_000, digests))
    with connect(plain) as client:
        answer = client.get()
    assert digests == [hashlib.sha256(answer.body).hexdigest()]


def test_websocket_frames_are_echoed_unmasked(plain):
    plain.set(modes.websocket_echo())
    fields = [("Upgrade", "websocket"), ("Connection", "Upgrade"),
              ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]
    with connect(plain) as client:
        answer = client.get(fields=fields)
        assert (answer.status, answer.get("sec-websocket-accept")) == (
            101, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        client.send(bytes([0x81, 0x82, 1, 2, 3, 4, ord("h") ^ 1, ord("i") ^ 2]))
        assert b"".join(client.reader.take(4)) == b"\x81\x02hi"


def test_a_gate_holds_requests(plain):
    gate = threading.Event()
    plain.set(modes.held(gate))
    with connect(plain) as client:
        client.send(http1.request())
        client.expect_silence(0.05)
        gate.set()
        assert client.read_response().status == 200


def test_sequences_and_targets_choose_the_mode(plain):
    table = {"/a": modes.sequence(modes.status(500), modes.status(201))}
    plain.set(modes.by_target(table))
    with connect(plain) as client:
        statuses = [client.get(target).status for target in ("/a", "/a", "/a", "/b")]
    assert statuses == [500, 201, 201, 200]


def test_probes_are_kept_apart(plain):
    plain.probe_mode = modes.status(503)
    with connect(plain) as client:
        fields = [("User-Agent", "ELB-HealthChecker/1.0")]
        assert client.get(fields=fields).status == 503
        assert client.get().status == 200
    assert (len(plain.probes), len(plain.requests)) == (1, 1)


def test_idle_connections_close_when_told(plain):
    plain.idle_timeout = 0.1
    with connect(plain) as client:
        client.get()
        assert client.expect_end().how is How.FIN


def test_tls_shows_name_version_and_certificate(secure, issued):
    context = client_context(highest="1.2", ciphers="ECDHE-ECDSA-AES256-GCM-SHA384")
    with connect(secure, tls=context, name="a.test") as client:
        assert client.get().status == 200
        assert (client.tls.version, client.peer_serial) == ("TLSv1.2", issued.serial)
        assert client.tls.cipher == "ECDHE-ECDSA-AES256-GCM-SHA384"
    assert secure.connections[0].sni == "a.test"


def test_alerts_have_numbers(secure):
    with pytest.raises(TlsAlert) as caught:
        connect(secure, tls=client_context(highest="1.1"))
    assert caught.value.code == 70
    with pytest.raises(TlsAlert) as caught:
        connect(secure, tls=client_context(highest="1.2", ciphers="AES128-SHA"))
    assert caught.value.code == 40


def test_hand_made_hellos_are_understood(secure):
    def reply(version, suite):
        with connect(secure) as client:
            return answer_to_hello(client.socket, client_hello(version, [SUITES[suite]]))

    assert reply("1.2", "ECDHE-ECDSA-AES256-GCM-SHA384").suite == 0xC02C
    assert reply("1.3", "TLS_AES_128_GCM_SHA256").suite == 0x1301
    assert reply("1.3", "AES128-SHA").alert == 40
    assert reply("1.0", "AES128-SHA").alert == 70
    assert reply("1.2", "RC4-SHA").alert == 40


def test_a_client_can_choose_its_source_address(plain):
    with connect(plain, source="127.0.0.9") as client:
        assert client.get().json()["peer"] == "127.0.0.9"


def test_one_thread_may_send_while_another_receives(secure):
    body = b"x" * 200_000
    with connect(secure, tls=True) as client:
        requests = http1.request("/both", "POST", body=body)
        sender = threading.Thread(target=lambda: client.send(requests * 20))
        sender.start()
        lengths = [client.read_response("POST").json()["body_len"] for _ in range(20)]
        sender.join()
    assert lengths == [200_000] * 20
