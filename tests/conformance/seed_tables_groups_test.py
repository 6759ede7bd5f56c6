"""The parameters of Tables 2 and 5, "Adding an HTTPS Listener": backend server groups, on dedicated
and on shared load balancers."""

from __future__ import annotations

import re

import pytest

from conformance.fronts import Asker, ask
from conformance.site import KINDS, Site, make_site
from rig import certs, modes
from rig.parallel import concurrently
from rig.timing import wait_until


@pytest.fixture(params=KINDS)
def site(request, api, certificate, backend) -> Site:
    made = make_site(api, request.param, certificate, backend)
    yield made
    api.drop_lb(made.lb["id"])


def names(service, count: int) -> list[str]:
    return [service.get(f"/{number}").json()["id"] for number in range(count)]


def tally(service, count: int) -> list[int]:
    seen = names(service, count)
    return [seen.count(member.name) for member in service.backends]


def test_table_2_5_create_new(site):
    listener = site.listener()
    pool = site.pool(listener_id=listener["id"], loadbalancer_id=...)
    assert site.api.show("listener", listener["id"])["default_pool_id"] == pool["id"]
    assert pool["loadbalancers"] == [{"id": site.lb["id"]}]
    site.refuse_pool(409, "8907", listener_id=listener["id"], loadbalancer_id=...)
    refused = site.code("8902", "9899")
    other = site.listener()
    site.refuse_pool(400, refused, listener_id=other["id"], loadbalancer_id=..., protocol="TCP")


def test_table_2_5_use_existing(site):
    service = site.service(modes.ok())
    assert service.get().status == 200
    second = site.listener()
    assert second["default_pool_id"] is None

    def use(pool_id: str):
        return site.api.try_update("listener", second["id"], {"default_pool_id": pool_id})

    use(service.pool["id"]).expect_error(409, "8907")
    use(site.pool(protocol="TCP")["id"]).expect_error(400, site.code("8902", "9899"))
    use("00000000-0000-4000-8000-000000000000").expect_error(404, "8904")
    service.update_listener(default_pool_id=None)
    assert service.get().status == 503
    use(service.pool["id"]).expect(200)
    service.listener = second
    assert service.get().status == 200


def test_table_2_5_name_and_description(site):
    plain = site.pool()
    assert (plain["name"], plain["description"]) == ("", "")
    full = site.pool(name="n" * 255, description="d" * 255)
    assert (full["name"], full["description"]) == ("n" * 255, "d" * 255)
    refused = site.code("8902", "8902 9899")  # Table 3.2 and section 1.9.3 disagree.
    for bad in ({"name": "n" * 256}, {"description": "d" * 256}):
        site.refuse_pool(400, refused, **bad)


def test_table_2_5_backend_protocol(site, ca):
    """HTTP on both; HTTPS on dedicated only, with TLS on the wire. It never changes."""
    plain = site.service(modes.ok())
    assert plain.get().status == 200 and plain.backends[0].connections[0].tls_version is None
    site.refuse_pool(400, site.code("8902", "9805"), protocol=...)
    site.refuse_pool(400, site.code("8902", "6071"), protocol="HTTP3")
    site.api.try_update("pool", plain.pool["id"], {"protocol": "HTTPS"}).expect_error(
        400, site.code("8902", "9899"))
    if site.shared:
        site.refuse_pool(400, "9899", protocol="HTTPS")
        return
    secure = site.service(pool={"protocol": "HTTPS"})
    member = site.backend(tls=certs.server_context(certs.expired("other.test")))
    site.member(secure.pool, member)
    assert secure.get().status == 200
    assert member.connections[0].tls_version in ("TLSv1.2", "TLSv1.3")


def test_table_2_5_weighted_round_robin(site):
    equal = site.service(*[modes.ok()] * 3)
    assert tally(equal, 30) == [10, 10, 10]
    weighted = site.service(*[modes.ok()] * 3, weights=[1, 3, 0])
    assert tally(weighted, 40) == [10, 30, 0]


def test_table_2_5_weighted_least_connections(site):
    """Held requests count: the lowest ratio of connections to weight is chosen."""
    service = site.service(*[modes.hang()] * 3, weights=[1, 2, 0],
                           pool={"lb_algorithm": "LEAST_CONNECTIONS"})
    askers = [Asker(service, "https").connect() for _ in range(9)]
    for number, asker in enumerate(askers):
        asker.start("/held")
        wait_for_total(service, number + 1)
    assert service.counts(["/held"]) == [3, 6, 0]
    for asker in askers:
        asker.close()


def wait_for_total(service, count: int) -> None:
    wait_until(lambda: sum(service.counts(["/held"])) == count, 10, f"{count} requests held")


def test_table_2_5_source_ip_hash(site):
    """A client keeps its server; weights count for nothing but 0."""
    service = site.service(*[modes.ok()] * 3, weights=[1, 100, 1],
                           pool={"lb_algorithm": "SOURCE_IP"})

    def server_of(source: str) -> str:
        with Asker(service, "https", source) as asker:
            return asker.ask().json()["id"]

    clients = [f"127.0.3.{number}" for number in range(1, 41)]
    first = {client: server_of(client) for client in clients}
    assert {client: server_of(client) for client in clients} == first
    assert len(set(first.values())) == 3
    service.set_weight(1, 0)
    again = {client: server_of(client) for client in clients}
    assert service.backends[1].name not in again.values()
    kept = {c: s for c, s in first.items() if s != service.backends[1].name}
    assert {client: again[client] for client in kept} == kept


def test_table_2_5_load_balancing_algorithm_refused(site):
    site.refuse_pool(400, site.code("8902", "6051"), lb_algorithm="FASTEST")
    site.refuse_pool(400, site.code("8902", "6051"), lb_algorithm="QUIC_CID")
    site.refuse_pool(400, site.code("8902", "9805"), lb_algorithm=...)


COOKIE = {"type": "HTTP_COOKIE"}


def test_table_2_5_sticky_session(site):
    """Off by default, load balancer cookie, weighted round robin only."""
    service = site.service(modes.ok(), modes.ok())
    assert service.pool["session_persistence"] is None
    assert ask(service, "https").get_all("set-cookie") == []
    service.update_pool(session_persistence=COOKIE)
    first = ask(service, "https")
    (cookie,) = first.get_all("set-cookie")
    fields = [("Cookie", cookie.split(";")[0])]
    seen = {ask(service, "https", fields=fields).json()["id"] for _ in range(6)}
    assert seen == {first.json()["id"]}
    service.update_pool(session_persistence=None)
    assert len({ask(service, "https", fields=fields).json()["id"] for _ in range(4)}) == 2


def test_table_2_5_sticky_session_needs_round_robin(site):
    refused = site.code("8902", "9899")
    for algorithm in ("LEAST_CONNECTIONS", "SOURCE_IP"):
        site.refuse_pool(400, refused, lb_algorithm=algorithm, session_persistence=COOKIE)
        plain = site.pool(lb_algorithm=algorithm)
        site.api.try_update("pool", plain["id"], {"session_persistence": COOKIE}).expect_error(
            400, refused)
    sticky = site.pool(session_persistence=COOKIE)
    site.api.try_update("pool", sticky["id"], {"lb_algorithm": "SOURCE_IP"}).expect_error(
        400, refused)


def test_table_2_5_sticky_session_type_and_cookie_name(site):
    refused = site.code("8902", "9899")
    app = {"type": "APP_COOKIE", "cookie_name": "cookieName-qsps"}
    for bad in ({"type": "SOURCE_IP"}, {"type": "OTHER"}, {**COOKIE, "cookie_name": "c"},
                {"type": "APP_COOKIE"}, {**app, "cookie_name": "no spaces"},
                {**app, "cookie_name": "c" * 1025}):
        site.refuse_pool(400, refused, session_persistence=bad)
    if not site.shared:
        site.refuse_pool(400, "8902", session_persistence=app)
        return
    for name in ("c", "c" * 1024):
        made = site.pool(session_persistence={**app, "cookie_name": name})
        assert made["session_persistence"]["cookie_name"] == name
    service = site.service(modes.ok(), modes.ok(), pool={"session_persistence": app})
    fields = [("Cookie", "cookieName-qsps=abcd")]
    assert len({ask(service, "https", fields=fields).json()["id"] for _ in range(6)}) == 1


@pytest.mark.parametrize("minutes", [None, 1, 20, 1440])
def test_table_2_5_stickiness_duration(site, minutes):
    given = {} if minutes is None else {"persistence_timeout": minutes}
    service = site.service(modes.ok(), pool={"session_persistence": {**COOKIE, **given}})
    wanted = minutes or 1440
    assert service.pool["session_persistence"]["persistence_timeout"] == wanted
    (cookie,) = ask(service, "https").get_all("set-cookie")
    assert re.search(r"Max-Age=(\d+)", cookie)[1] == str(60 * wanted)


def test_table_2_5_stickiness_duration_refused(site):
    for minutes in (0, 1441, -1):
        site.refuse_pool(400, site.code("8902", "9899"),
                         session_persistence={**COOKIE, "persistence_timeout": minutes})


def test_table_2_slow_start(site):
    """Off by default, 30 s when on; of 60 requests to a new server next to an old one it gets a
    few, none to speak of at the longest duration, and half when slow start is off."""
    if site.shared:
        site.refuse_pool(400, "9899", slow_start={"enable": True})
        return
    assert site.pool()["slow_start"] is None
    settings = {"off": {"enable": False}, "default": {"enable": True},
                "longest": {"enable": True, "duration": 1200}}
    shares = concurrently(*[lambda given=given: share_of_new(site, given)
                            for given in settings.values()])
    off, default, longest = shares
    assert off == 30
    assert 0 < default <= 12
    assert longest <= 1
    for seconds in (29, 1201):
        site.refuse_pool(400, "8902", slow_start={"enable": True, "duration": seconds})
    for seconds in (30, 1200):
        made = site.pool(slow_start={"enable": True, "duration": seconds})
        assert made["slow_start"] == {"enable": True, "duration": seconds}
    assert site.pool(slow_start={"enable": True})["slow_start"]["duration"] == 30


def share_of_new(site: Site, slow_start: dict) -> int:
    service = site.service(modes.ok(), pool={"slow_start": slow_start})
    newcomer = site.backend()
    site.member(service.pool, newcomer)
    with Asker(service, "https") as asker:
        seen = [asker.ask().json()["id"] for _ in range(60)]
    return seen.count(newcomer.name)


def test_table_2_5_add_backend_server(site):
    """Weight 1 by default, 0 to 100."""
    pool = site.pool()
    plain = site.member(pool, site.backend())
    assert (plain["weight"], plain["operating_status"]) == (1, "NO_MONITOR")
    for weight in (0, 100):
        assert site.member(pool, site.backend(), weight=weight)["weight"] == weight
    spare = site.backend()
    for weight in (-1, 101):
        site.api.try_create("member", pool["id"], address=spare.address, weight=weight,
                            protocol_port=spare.port, subnet_cidr_id=site.subnet).expect_error(
            400, site.code("8902", "9899"))
    without_subnet = site.api.try_create("member", pool["id"], address=spare.address,
                                         protocol_port=spare.port)
    if site.shared:
        without_subnet.expect_error(400, "9805")
    else:
        without_subnet.expect(201)
