"""What forwarding policies do: redirects, fixed answers, weighted pools (data-plane.md 10.4 to
10.8)."""

from __future__ import annotations

import pytest

from conformance import policy_rows as rows
from conformance.fronts import FRONTS, Asker, ask, make_front
from rig import http1, modes
from rig.timing import wait_until


@pytest.fixture
def make(api, lb, backend, certificate):
    """`make(front)`: an advanced service whose default member is called `default`."""

    def build(front: str = "http", advanced: bool = True, **more):
        return make_front(api, lb, [backend("default")], front, certificate,
                          enhance_l7policy_enable=advanced, **more)

    return build


@pytest.fixture
def redirecting(api, lb, make, certificate):
    """`redirecting(port)`: an HTTP service that redirects to an HTTPS listener on `port`."""

    def build(https_port: int, **more):
        target = api.create("listener", loadbalancer_id=lb["id"], protocol="HTTPS",
                            protocol_port=https_port,
                            default_tls_container_ref=certificate["id"])
        service = make("http", port=80, **more)
        rows.add(api, service, "REDIRECT_TO_LISTENER", redirect_listener_id=target["id"])
        return service

    return build


@pytest.mark.parametrize("port, location", [
    (443, "https://a.com/p?q=1"), (8443, "https://a.com:8443/p?q=1"),
])  # fmt: skip
def test_T10_7_a_listener_redirects_to_https(redirecting, port, location):
    service = redirecting(port)
    with service.client() as client:
        for method in ("GET", "HEAD", "POST", "DELETE", "ODD"):
            answer = client.get("/p?q=1", host="a.com:80", method=method)
            assert (answer.status, answer.get_all("location")) == (301, [location]), method
            assert bool(answer.body) == (method != "HEAD")
            assert answer.get("content-type").startswith("text/html") and answer.keeps
    assert service.backends[0].requests == []


def test_T10_7_the_target_is_kept_as_received(redirecting):
    service = redirecting(443)
    for target in ("/a%2Fb/../c?x=%41&&y", "//double", "/\xe9?"):
        answer = service.get(target, host="[::1]:80")
        assert answer.get("location") == f"https://[::1]{target}", target


def test_T10_7_without_a_host_the_address_is_named(redirecting):
    service = redirecting(443)
    with service.client() as client:
        answer = client.exchange(b"GET /p HTTP/1.0\r\n\r\n")
    assert answer.get("location") == f"https://{service.address}/p"


@pytest.mark.parametrize("advanced", [False, True], ids=["basic", "advanced"])
def test_T10_7_other_policies_never_match(api, redirecting, backend, advanced):
    service = redirecting(443, advanced=advanced)
    rows.to_pool(api, service, backend("policy"), rows.path("prefix", "/"))
    assert [service.get(target).status for target in ("/", "/x")] == [301, 301]


URLS = [  # Target, Host, parts, Location. The listener's port is 8080.
    ("/old", "a.com:8080", {"host": "www.b.com", "path": "/new", "query": "${query}&x=1"},
     "http://www.b.com:8080/new?x=1"),
    ("/old?y=2", "a.com:8080", {"host": "www.b.com", "path": "/new", "query": "${query}&x=1"},
     "http://www.b.com:8080/new?y=2&x=1"),
    ("/old?y=2", "a.com", {"protocol": "HTTPS", "port": "443"}, "https://a.com/old?y=2"),
    ("/old?y=2", "a.com:80", {"host": "b.com"}, "http://b.com/old?y=2"),
    ("/old?y=2", "a.com:8080", {"protocol": "HTTPS"}, "https://a.com:8080/old?y=2"),
    ("/old?y=2", "a.com:8080", {"host": "x.${host}", "path": "/v1${path}", "query": ""},
     "http://x.a.com:8080/v1/old"),
    ("/old", "a.com:8080", {"host": "b.com", "port": "9000"}, "http://b.com:9000/old"),
]  # fmt: skip


@pytest.mark.parametrize("target, host, parts, location", URLS)
def test_T10_8_redirects_to_a_url_of_parts(api, make, target, host, parts, location):
    service = make()
    rows.to_url(api, service, rows.path("prefix", "/"), **parts)
    answer = service.get(target, host=host)
    assert (answer.status, answer.get_all("location")) == (302, [location])


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("status", ["301", "302", "303", "307", "308"])
def test_T10_8_each_status_of_a_redirect(api, make, front, status):
    service = make(front)
    rows.to_url(api, service, rows.path("prefix", "/"), status=status, protocol="HTTP",
                host="b.com", port="80", path="/n", query="")
    reply = ask(service, front, "/old?x", method="POST", body=b"abc")
    assert (reply.status, reply.get_all("location")) == (int(status), ["http://b.com/n"])
    assert service.backends[0].requests == []


TYPES = ["text/plain", "text/css", "text/html", "application/javascript", "application/json"]


def lines_of(daemon, target: str) -> list[dict] | None:
    found = daemon.access_log.matching(lambda line: target in str(line))
    return found if len(found) == 2 else None


@pytest.mark.parametrize("front", FRONTS)
def test_T10_9_a_fixed_response_is_sent_exactly(api, daemon, make, front):
    service, target = make(front), f"/fixed-{front}"
    rows.fixed(api, service, rows.path("exact", target), status="403", content_type="text/html",
               message_body="<h1>go away</h1>\n")
    for method in ("POST", "HEAD"):
        reply = ask(service, front, target, method=method)
        assert (reply.status, reply.get_all("content-type")) == (403, ["text/html"])
        assert reply.body == (b"" if method == "HEAD" else b"<h1>go away</h1>\n")
        assert reply.get("content-length") == "17" and not reply.closes
    (line, _) = wait_until(lambda: lines_of(daemon, target), 5, "two lines of the access log")
    names = ("upstream_status", "upstream_connect_time", "upstream_header_time",
             "upstream_response_time", "upstream_addr")  # fmt: skip
    assert all(line[name] in ("-", [], ["-"]) for name in names), line


@pytest.mark.parametrize("content_type", TYPES)
def test_T10_9_each_content_type(api, make, content_type):
    service = make()
    rows.fixed(api, service, rows.path("prefix", "/"), status="299", content_type=content_type,
               message_body="é")
    answer = service.get(fields=[("Accept", "application/json")])
    assert (answer.status, answer.get_all("content-type")) == (299, [content_type])
    assert answer.body == "é".encode()


@pytest.mark.parametrize("status", ["204", "205"])
def test_10_7_no_body_for_204_and_205(api, make, status):
    service = make()
    rows.fixed(api, service, rows.path("prefix", "/"), status=status, message_body="never")
    with service.client() as client:
        for _ in range(2):
            answer = client.get()
            assert (answer.status, answer.body) == (int(status), b"")


@pytest.mark.slow
@pytest.mark.parametrize("front", FRONTS)
def test_T10_10_weighted_pools_are_exact(api, lb, make, backend, front):
    """80/20: 800 and 200 of 1,000."""
    service, pools = make(front), []
    for number in range(2):
        pools.append(api.make_pool(lb["id"]))
        api.add_member(pools[-1]["id"], backend(mode=modes.fixed(b"%d" % number)))
    weights = [{"pool_id": pool["id"], "weight": weight} for pool, weight in zip(pools, (80, 20))]
    policy = rows.add(api, service, "REDIRECT_TO_POOL", [rows.path("prefix", "/")],
                      redirect_pools_config=weights)
    with Asker(service, front) as asker:
        seen = [asker.ask().body for _ in range(1000)]
        assert (seen.count(b"0"), seen.count(b"1")) == (800, 200)
        for entry in weights:
            entry["weight"] = 0
        api.update("l7policy", policy["id"], redirect_pools_config=weights)
        reply = asker.ask()
        assert (reply.status, reply.get("x-router-code")) == (503, "40001")


def test_10_7_an_unread_body_is_drained(api, make):
    service = make()
    rows.fixed(api, service, rows.path("prefix", "/"), status="403", message_body="no")
    with service.client() as client:
        client.send(http1.request("/", "POST", body=b"x" * 60000))
        assert client.read_response("POST").keeps
        assert client.get().status == 403
