"""Everyday HTTP/2 clients: curl, nghttp, h2load, python3-h2 and Chromium."""

from __future__ import annotations

import itertools
import json
import re
import subprocess

import h2.config
import h2.connection
import h2.events
import pytest

from rig import modes
from rig.browser import Browser
from rig.load import NginxMember
from rig.timing import wait_until
from rig.tls import client_context

_unique = itertools.count()


def unique(word: str) -> str:
    return f"/{word}-{next(_unique)}-"


@pytest.fixture(scope="module")
def shared(api, module_lb, certificate, module_backend):
    return api.make_service(module_lb, [module_backend()], port=8443, certificate=certificate,
                            http2_enable=True, tls_ciphers_policy="tls-1-0-with-1-3")


@pytest.fixture
def service(shared):
    shared.backends[0].set(modes.ok())
    shared.backends[0].clear()
    return shared


@pytest.fixture
def member(service):
    return service.backends[0]


def run(*command: str, **more) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, **more)
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


# --- command line --------------------------------------------------------------------------------


def test_curl_negotiates_http2(daemon, service):
    target = unique("curl")
    shown = run("curl", "-sk", "--http2", "-w", "\n%{http_version}", service.origin + target)
    assert shown.splitlines()[-1] == "2"
    line = daemon.access_log.wait_for(target)
    assert (line["server_protocol"], line["ssl_protocol"]) == ("HTTP/2.0", "TLSv1.3")


def test_curl_uploads_and_downloads_a_megabyte(service, member, tmp_path):
    member.set(modes.by_target({"/down": modes.fixed(b"d" * (1 << 20))}))
    (tmp_path / "up").write_bytes(bytes(range(256)) * 4096)
    shown = run("curl", "-sk", "--http2", "-T", str(tmp_path / "up"), service.origin + "/up")
    assert json.loads(shown)["body_len"] == 1 << 20
    run("curl", "-sk", "--http2", "-o", str(tmp_path / "down"), service.origin + "/down")
    assert (tmp_path / "down").read_bytes() == b"d" * (1 << 20)


def test_curl_posts_with_expect(service, member):
    member.set(modes.continue_then())
    shown = run("curl", "-sk", "--http2", "-H", "Expect: 100-continue", "-d", "abc",
                service.origin + "/")
    assert json.loads(shown)["body_len"] == 3


def test_curl_resumes_many_requests_on_one_connection(service, member):
    urls = [f"{service.origin}/{number}" for number in range(20)]
    shown = run("curl", "-sk", "--http2", "-Z", "--parallel-max", "20", "-w", "%{num_connects}\n",
                *itertools.chain(*[("-o", "/dev/null", url) for url in urls]))
    assert sum(map(int, shown.split())) <= 2
    assert sorted(member.targets) == sorted(f"/{number}" for number in range(20))


def test_nghttp_sees_settings_headers_and_data(service):
    shown = run("nghttp", "-nvy", service.origin + "/nghttp")
    for wanted in ("SETTINGS_MAX_CONCURRENT_STREAMS(0x03):128",
                   "SETTINGS_INITIAL_WINDOW_SIZE(0x04):262144",
                   "SETTINGS_MAX_HEADER_LIST_SIZE(0x06):65536",
                   ":status: 200", "recv DATA frame"):
        assert wanted in shown, f"{wanted}\n{shown}"
    assert "SETTINGS_ENABLE_PUSH(0x02)" not in shown.split("send SETTINGS")[0]
    assert "ENHANCE_YOUR_CALM" not in shown and "PROTOCOL_ERROR" not in shown


def test_nghttp_sends_a_body_with_trailers_and_continuations(service, member, tmp_path):
    (tmp_path / "body").write_bytes(b"b" * 100_000)
    run("nghttp", "-ny", "-d", str(tmp_path / "body"), "--trailer=x-sum: 1", "-p", "10",
        service.origin + "/body")
    run("nghttp", "-ny", "--continuation", service.origin + "/continuation")
    assert [seen.body_len for seen in member.requests] == [100_000, 0]


@pytest.mark.parametrize("clients, streams", [(1, 1), (4, 32), (1, 100)])
def test_h2load_loses_nothing(daemon, api, lb, certificate, clients, streams):
    with NginxMember("E1") as member:
        service = api.make_service(lb, [member], port=8443, certificate=certificate,
                                   http2_enable=True)
        shown = run("h2load", "-n", "600", "-c", str(clients), "-m", str(streams),
                    service.origin + "/load")
        labels = {"lbaas_listener_id": service.listener["id"]}
        assert daemon.metrics().total("elb_mc_l7_http_2xx", **labels) == 600
    assert "600 total, 600 started, 600 done, 600 succeeded, 0 failed, 0 errored" in shown, shown
    assert re.search(r"status codes: 600 2xx, 0 3xx, 0 4xx, 0 5xx", shown)


def test_h2load_with_bodies_loses_nothing(service, member, tmp_path):
    member.set(modes.echo())
    (tmp_path / "body").write_bytes(b"b" * 50_000)
    shown = run("h2load", "-n", "60", "-c", "2", "-m", "10", "-d", str(tmp_path / "body"),
                service.origin + "/echo")
    assert "60 succeeded, 0 failed, 0 errored" in shown, shown
    assert {seen.body_len for seen in member.requests} == {50_000}


def test_python_h2_finds_nothing_to_complain_about(service, member):
    """A state machine that checks all that the server sends."""
    member.set(modes.chunked([b"a" * 1000] * 5, [("X-Sum", "5")]))
    state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    state.initiate_connection()
    with service.client(tls=client_context(alpn=["h2"])) as client:
        fields = [(":method", "GET"), (":scheme", "https"), (":authority", "a.test")]
        for number in (1, 3, 5):
            state.send_headers(number, [*fields, (":path", f"/{number}")], end_stream=True)
        client.send(state.data_to_send())
        bodies, trailers, ended = {}, {}, set()
        while len(ended) < 3:
            for event in state.receive_data(client.receive()):
                if isinstance(event, h2.events.DataReceived):
                    bodies[event.stream_id] = bodies.get(event.stream_id, b"") + event.data
                    state.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.TrailersReceived):
                    trailers[event.stream_id] = dict(event.headers)
                elif isinstance(event, h2.events.StreamEnded):
                    ended.add(event.stream_id)
            client.send(state.data_to_send())
    assert bodies == {number: b"a" * 5000 for number in (1, 3, 5)}
    assert {tuple(each.values()) for each in trailers.values()} == {(b"5",)}


# --- a browser -----------------------------------------------------------------------------------

PAGE = b"""<!doctype html><title>page</title>
<link rel=stylesheet href=style.css><body><script src=script.js></script>
<script>
Promise.all([...Array(30).keys()].map(n => fetch('data/' + n).then(r => r.text())))
  .then(all => fetch('echo', {method: 'POST', body: 'x'.repeat(300000)}))
  .then(r => r.text())
  .then(length => { document.title = 'ready'; document.body.id = 'echo-' + length; });
</script>"""


def typed(body: bytes, kind: str) -> modes.Mode:
    return modes.fixed(body, [("Content-Type", kind)])


def length_of_body(exchange) -> None:
    exchange.read_body()
    exchange.respond(200, str(exchange.request.body_len).encode(), [("Content-Type", "text/plain")])


def site(folder: str) -> modes.Mode:
    return modes.by_target({
        f"{folder}/": typed(PAGE, "text/html"),
        f"{folder}/style.css": typed(b"body { color: red }", "text/css"),
        f"{folder}/script.js": typed(b"document.body.className = 'ran'", "text/javascript"),
        f"{folder}/echo": length_of_body,
    }, typed(b"data", "text/plain"))  # fmt: skip


@pytest.fixture(scope="module")
def browser(ca, module_lb):
    with Browser(ca.pem, {"a.test": module_lb["vip_address"]}) as made:
        yield made


@pytest.mark.parametrize("http2", [True, False], ids=["http_2", "http_1"])
def test_chromium_loads_a_page(daemon, service, member, browser, http2):
    """The certificate is trusted by its authority: a browser checks what curl -k does not."""
    folder = unique("page")
    member.set(site(folder))
    service.update_listener(http2_enable=http2)
    try:
        shown = browser.dom(f"https://a.test:{service.port}{folder}/")
    finally:
        service.update_listener(http2_enable=True)
    assert '<body class="ran" id="echo-300000">' in shown, shown
    ours = [seen for seen in member.requests if seen.target.startswith(folder)]
    assert len(ours) == 34
    assert {seen.get("x-forwarded-host") for seen in ours} == {f"a.test:{service.port}"}

    def logged() -> list[dict]:
        return daemon.access_log.matching(lambda line: folder in str(line))

    wait_until(lambda: len(logged()) >= len(ours), 5, "the lines of all requests")
    lines = logged()
    assert {line["server_protocol"] for line in lines} == {"HTTP/2.0" if http2 else "HTTP/1.1"}
    assert {int(line["status"]) for line in lines} == {200}
