"""Forwarding policies: what matches, and in which order (data-plane.md 10.1 to 10.3)."""

from __future__ import annotations

import itertools
import statistics
import time

import pytest

from conformance import policy_rows as rows
from conformance.fronts import FRONTS, Asker, Jar, ask, ask_with, make_front
from rig import modes


@pytest.fixture
def make(api, lb, backend, certificate):
    """`make(front, advanced=…)`: a service whose default member is called `default`."""

    def build(front: str = "http", advanced: bool = False, **more):
        if advanced:
            more["enhance_l7policy_enable"] = True
        return make_front(api, lb, [backend("default")], front, certificate, **more)

    return build


def reached(service, front: str, target: str, **more) -> str:
    reply = ask(service, front, target, **more)
    assert reply.status == 200, reply
    return reply.json()["id"]


VENDOR_TABLE = [
    ("exact", "/elb/index.html", True), ("exact", "/elb", False),
    ("prefix", "/elb", True), ("prefix", "/index.html", False),
    ("regex", "/elb/index.html", True), ("regex", "/elb", False),
    ("regex", r"/elb[^\s]*", True), ("regex", "/index.html", False),
]  # fmt: skip


@pytest.mark.parametrize("front", FRONTS)
def test_T10_1_the_vendors_table_of_path_rules(api, make, backend, front):
    service = make(front)
    for kind, value, matches in VENDOR_TABLE:
        member = backend("policy")
        policy = rows.to_pool(api, service, member, rows.path(kind, value))
        wanted = "policy" if matches else "default"
        assert reached(service, front, "/elb/index.html") == wanted, (kind, value)
        api.delete("l7policy", policy["id"])


@pytest.mark.parametrize("kind, value, target", [
    ("exact", "/Elb", "/elb"), ("prefix", "/elb", "/ELB/x"), ("regex", "/elb.*", "/ELB/x"),
])  # fmt: skip
def test_10_3_paths_are_case_sensitive(api, make, backend, kind, value, target):
    service = make()
    rows.to_pool(api, service, backend("policy"), rows.path(kind, value))
    assert reached(service, "http", target) == "default"


@pytest.mark.parametrize("front", FRONTS)
def test_T10_2_basic_prefix_wins_over_regex(api, make, backend, front):
    service = make(front)
    rows.to_pool(api, service, backend("pool 3"), rows.path("regex", r"/elb_gls/glossary[^\s]*"))
    rows.to_pool(api, service, backend("pool 2"), rows.path("prefix", "/elb_gls"))
    assert reached(service, front, "/elb_gls/glossary.html") == "pool 2"


def test_10_2_the_basic_order(api, make, backend):
    """Exact, then prefix, then regex, longer ones first; policies of the host before all others."""
    service = make()
    for name, *rules in [
        ("regex", rows.path("regex", "/a.*")), ("prefix", rows.path("prefix", "/a")),
        ("longer", rows.path("prefix", "/a/b")), ("exact", rows.path("exact", "/a/b/c")),
        ("host", rows.host("h.test"), rows.path("prefix", "/a/b")),
        ("all of host", rows.host("whole.test")),
    ]:  # fmt: skip
        rows.to_pool(api, service, backend(name), *rules)
    cases = {
        ("/a/b/c", "a.test"): "exact", ("/a/b/d", "a.test"): "longer", ("/az", "a.test"): "prefix",
        ("/a/b/c", "h.test"): "host", ("/a/b/c", "H.TEST.:8080"): "host",
        ("/az", "h.test"): "prefix", ("/zzz", "h.test"): "default",
        ("/a/b/c", "whole.test"): "all of host",
    }  # fmt: skip
    for (target, host), wanted in cases.items():
        assert reached(service, "http", target, host=host) == wanted, (target, host)


@pytest.mark.parametrize("front", FRONTS)
def test_T10_3_advanced_the_smaller_priority_wins(api, make, backend, front):
    service = make(front, advanced=True)
    rows.to_pool(api, service, backend("4"), rows.path("regex", "/exa/index.html"), priority=4)
    rows.to_pool(api, service, backend("3"), rows.path("regex", r"/exa[^\s]*"), priority=3)
    assert reached(service, front, "/exa/index.html") == "3"


@pytest.mark.parametrize("front", FRONTS)
def test_T10_4_methods(api, make, backend, front):
    service = make(front, advanced=True)
    rows.to_pool(api, service, backend("A"), rows.conditions("METHOD", "GET", "DELETE"))
    rows.to_pool(api, service, backend("B"), rows.conditions("METHOD", "POST", "PUT"))
    wanted = {"GET": "A", "DELETE": "A", "POST": "B", "PUT": "B", "PATCH": "default"}
    for method, name in wanted.items():
        assert reached(service, front, "/", method=method) == name, method


VALUES = [  # Rule, target, fields, does it match.
    (("HEADER", "Accept-Language", "*en-us*"), "/", ("accept-language", "en-US,en;q=0.9"), True),
    (("HEADER", "Accept-Language", "*en-us*"), "/", ("Accept-Language", "de"), False),
    (("HEADER", "X-Level", "a?c"), "/", ("X-Level", "ABC"), True),
    (("HEADER", "X-Level", "a?c"), "/", ("X-Level", "ac"), False),
    (("HEADER", "X-Level", "a*"), "/", ("X-Level", "a"), True),
    (("HEADER", "X-Level", "abc"), "/", ("X-Level", "xabc"), False),
    (("HEADER", "X-Level", "abc"), "/", ("X-Other", "abc"), False),
    (("QUERY_STRING", "region", "region01"), "/?a=1&region=region01", None, True),
    (("QUERY_STRING", "region", "region01"), "/?a=1&Region=region01", None, False),
    (("QUERY_STRING", "region", "region01"), "/?region=Region01", None, False),
    (("QUERY_STRING", "region", "region01"), "/?region=other&region=region01", None, True),
    (("QUERY_STRING", "region", "region01"), "/?region=%72egion01", None, True),
    (("QUERY_STRING", "region", "region01"), "/region=region01", None, False),
    (("QUERY_STRING", "region", "region*"), "/?region=region", None, True),
    (("QUERY_STRING", "region", "region?1"), "/?region=region01", None, True),
    (("QUERY_STRING", "region", "region?1"), "/?region=region1", None, False),
    (("QUERY_STRING", "region", "a?b"), "/?region=a+b", None, True),
]  # fmt: skip


@pytest.mark.parametrize("front", FRONTS)
def test_T10_5_headers_and_queries(api, make, backend, front):
    service, member = make(front, advanced=True), backend("policy")
    for (kind, key, value), target, given, matches in VALUES:
        rule = rows.conditions(kind, value, key=key)
        policy = rows.to_pool(api, service, member, rule)
        name = reached(service, front, target, fields=[given] if given else [])
        assert name == ("policy" if matches else "default"), (kind, value, target, given)
        api.delete("l7policy", policy["id"])


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("advanced", [False, True], ids=["basic", "advanced"])
def test_T10_6_disguised_paths_meet_their_policy(api, make, backend, front, advanced):
    service, member = make(front, advanced=advanced), backend("policy")
    rows.to_pool(api, service, member, rows.path("exact", "/admin"))
    for target in ("/%61dmin", "/x/../admin", "/./admin", "/x/%2e%2e/admin", "/admin?q=/../"):
        assert reached(service, front, target) == "policy", target
        assert member.requests[-1].target == target
    for target in ("//admin", "/admin/", "/%41dmin", "/admin%2f"):
        assert reached(service, front, target) == "default", target


@pytest.mark.parametrize("front", FRONTS)
def test_10_3_hosts(api, make, backend, front):
    """`*` stands for any non-empty prefix, of several labels too."""
    service = make(front, advanced=True)
    rows.to_pool(api, service, backend("wild"), rows.host("*.test.com"))
    rows.to_pool(api, service, backend("one"), rows.host("one.example"))
    wanted = {"a.test.com": "wild", "a.b.TEST.com:8080": "wild", "test.com": "default",
              "xtest.com": "default", "one.example.": "one", "ONE.example:1": "one",
              "a.one.example": "default"}  # fmt: skip
    for host, name in wanted.items():
        assert reached(service, front, "/", host=host) == name, host


def test_10_3_source_addresses_and_inverted_rules(api, make, backend):
    service = make(advanced=True)
    rows.to_pool(api, service, backend("net"), rows.conditions("SOURCE_IP", "127.0.9.0/24"))
    inverted = {**rows.conditions("METHOD", "GET"), "invert": True}
    rows.to_pool(api, service, backend("not GET"), inverted)

    def from_address(source: str, method: str = "GET") -> str:
        with Asker(service, "http", source) as asker:
            return asker.ask(method=method).json()["id"]

    assert from_address("127.0.9.77") == "net"
    assert from_address("127.0.10.1") == "default"
    assert from_address("127.0.10.1", "DELETE") == "not GET"


@pytest.mark.parametrize("front", FRONTS)
def test_T7_9_two_pools_keep_their_sessions_apart(api, make, backend, front):
    """Two path policies, two sticky pools, one jar: each pool keeps its server for 100 rounds."""
    service = make(front)
    for prefix in ("/one", "/two"):
        pool = api.make_pool(service.lb["id"], session_persistence={"type": "HTTP_COOKIE"})
        for number in range(3):
            api.add_member(pool["id"], backend(f"{prefix} {number}"))
        rows.add(api, service, "REDIRECT_TO_POOL", [rows.path("prefix", prefix)],
                 redirect_pool_id=pool["id"])
    jar, seen = Jar(), {"/one": set(), "/two": set()}
    with Asker(service, front) as asker:
        for _ in range(100):
            for target in seen:
                seen[target].add(ask_with(asker, jar, target).json()["id"])
    assert [len(names) for names in seen.values()] == [1, 1], seen
    assert len(jar.cookies) == 2


def test_10_1_a_duplicate_is_skipped_and_heals(api, make, backend):
    service = make()
    first = rows.to_pool(api, service, backend("first"), rows.path("exact", "/same"))
    second = rows.to_pool(api, service, backend("second"), rows.path("exact", "/same"))
    assert second["provisioning_status"] == "ERROR"
    assert reached(service, "http", "/same") == "first"
    api.delete("l7policy", first["id"])
    assert api.show("l7policy", second["id"])["provisioning_status"] == "ACTIVE"
    assert reached(service, "http", "/same") == "second"


@pytest.mark.slow
def test_T10_11_matching_100_policies_of_10_conditions_is_cheap(backend, own_daemon):
    """The median request may cost no more than a fraction more than one without policies; the
    exact figure (p99 < 20 us) is the business of `bench/`."""
    running = own_daemon(release=True)
    api = running.api()
    member = backend(mode=modes.fixed(b"x"))
    lb = api.make_lb()
    bare = api.make_service(lb, [member], port=8080)
    laden = api.make_service(lb, [member], port=8081, enhance_l7policy_enable=True)
    for number in range(100):
        headers = [f"never-{number}-{turn}*" for turn in range(10)]
        rows.fixed(api, laden, rows.conditions("HEADER", *headers, key="X-Kind"), status="403")
    field = [("X-Kind", "something-else-entirely")]
    with bare.client() as one, laden.client() as other:
        costs = {id(one): [], id(other): []}
        for client in itertools.islice(itertools.cycle((one, other)), 2000):
            begun = time.perf_counter()
            assert client.get(fields=field).status == 200
            costs[id(client)].append(time.perf_counter() - begun)
    more = statistics.median(costs[id(other)]) - statistics.median(costs[id(one)])
    assert more < (2e-3 if running.sanitized else 100e-6), f"{more * 1e6:.0f} us"
