"""Sessions by a cookie of the application (data-plane.md 7.3); shared load balancers."""

from __future__ import annotations

import pytest

from conformance.fronts import FRONTS, Asker, ask
from rig import modes


@pytest.fixture
def shared_lb(api):
    made = api.make_lb(guaranteed=False, ip_target_enable=False)
    yield made
    api.drop_lb(made["id"])


@pytest.fixture
def make(api, shared_lb, backend, certificate):
    """`make(front, cookie_name, mode, …)`: shared, sticky by that cookie."""
    subnet = api.default_subnet()["neutron_subnet_id"]

    def build(front: str, cookie_name: str, *scripted):
        fields = {} if front == "http" else {"default_tls_container_ref": certificate["id"],
                                             "http2_enable": front == "h2"}
        service = api.make_service(
            shared_lb, [], protocol="HTTP" if front == "http" else "HTTPS",
            pool={"session_persistence": {"type": "APP_COOKIE", "cookie_name": cookie_name}},
            **fields)
        address = f"{shared_lb['vip_address'].rsplit('.', 2)[0]}.200.1"
        for mode in scripted:
            member = backend(address=address, mode=mode)
            service.backends.append(member)
            service.members.append(
                api.add_member(service.pool["id"], member, subnet_cidr_id=subnet))
        return service

    return build


def names(service, front: str, count: int, cookie: str | None = None) -> list[str]:
    """Who answers each of so many requests on connections of their own."""
    fields = [("Cookie", cookie)] if cookie else []
    return [ask(service, front, fields=fields).json()["id"] for _ in range(count)]


@pytest.mark.parametrize("front", FRONTS)
def test_T7_8_a_session_is_learned_from_the_application(make, front):
    def login(word: str):
        return modes.by_target({"/login": modes.ok(fields=[("Set-Cookie", f"JSESSIONID={word}")])})

    service = make(front, "JSESSIONID", login("v1"), login("v2"), login("v3"))
    with Asker(service, front) as asker:
        owners = {}
        for _ in range(3):
            reply = asker.ask("/login")
            (value,) = reply.get_all("set-cookie")
            owners[value] = reply.json()["id"]
    assert len(owners) == 3, "the logins did not rotate"
    for value, owner in owners.items():
        assert set(names(service, front, 6, f"a=1; {value}; b=2")) == {owner}


@pytest.mark.parametrize("front", FRONTS)
def test_T7_8_an_unknown_value_leads_to_one_server(make, front):
    service = make(front, "name", *[modes.ok()] * 3)
    assert len(set(names(service, front, 20, "name=abcd"))) == 1
    many = {names(service, front, 1, f"name=value-{number}")[0] for number in range(30)}
    assert len(many) == 3, "invented values do not spread"
    assert len(set(names(service, front, 3))) == 3, "without the cookie the algorithm decides"


def test_T7_8_the_cookie_is_relayed_untouched_and_none_is_added(make):
    service = make("http", "name", modes.ok())
    reply = ask(service, "http", fields=[("Cookie", "x=1; name=abcd; y=2")])
    assert service.backends[0].requests[0].get_all("cookie") == ["x=1; name=abcd; y=2"]
    assert reply.get_all("set-cookie") == []


def test_7_3_a_deletion_cookie_unbinds(make):
    gone = ("Set-Cookie", "sid=v; Max-Age=0")
    service = make("http", "sid", *[modes.by_target({
        "/in": modes.ok(fields=[("Set-Cookie", "sid=v")]), "/out": modes.ok(fields=[gone]),
    })] * 3)  # fmt: skip
    hashed = names(service, "http", 1, "sid=v")[0]
    owner = hashed
    while owner == hashed:
        owner = ask(service, "http", "/in").json()["id"]
    assert set(names(service, "http", 4, "sid=v")) == {owner}
    assert ask(service, "http", "/out", fields=[("Cookie", "sid=v")]).json()["id"] == owner
    assert set(names(service, "http", 4, "sid=v")) == {hashed}
