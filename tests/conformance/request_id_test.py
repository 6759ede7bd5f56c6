"""Request ids (api-extensions.md 10.2)."""

from __future__ import annotations

import hashlib
import itertools
import re
import socket
import time

import pytest

from conformance.fronts import FRONTS, Asker, ask, make_front
from rig.clients import RawClient

ONE, TWO = "127.0.0.1", "127.0.0.2"  #: The addresses of the clients.
NAME = "x-request-id"
HEX = re.compile(r"[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
LONGEST = "a" * 128
_unique = itertools.count()


@pytest.fixture
def lb(group, lb):
    """The groups' last user goes first."""
    return lb


def settings(mode: str, **more) -> dict:
    return {"extensions": {"request_id": {"mode": mode, **more}}}


@pytest.fixture(params=FRONTS)
def front(request):
    return request.param


@pytest.fixture
def make(api, lb, backend, certificate, front):
    def build(mode: str, **more):
        return make_front(api, lb, [backend()], front, certificate, **settings(mode, **more))

    return build


def sees(daemon, service, front: str, *values: str, source: str | None = None):
    """What the backend, the answer and the log have for a request with these fields."""
    target = f"/id-{next(_unique)}-"
    fields = [("X-Request-Id", value) for value in values]
    with Asker(service, front, source) as asker:
        reply = asker.ask(target, fields=fields)
    assert reply.status == 200
    (seen,) = [r for r in service.backends[0].requests if r.target == target]
    at_backend = [value for name, value in seen.headers if name.lower() == NAME]
    return at_backend, reply.get_all(NAME), daemon.access_log.wait_for(target)


@pytest.mark.parametrize("values", [(), ("theirs",), ("one", "two"), (LONGEST + "a",)], ids=len)
def test_E10_2_always_there_is_only_ours(daemon, make, front, values):
    at_backend, in_answer, line = sees(daemon, make("always"), front, *values)
    assert HEX.fullmatch(line["request_id"])
    assert at_backend == in_answer == [line["request_id"]]
    assert "external_request_id" not in line


@pytest.mark.parametrize("value", ["theirs", LONGEST, "A.z_0:+/=@-9"])
def test_E10_2_trusted_one_usable_field_is_kept(daemon, make, front, value):
    at_backend, in_answer, line = sees(daemon, make("trusted"), front, value)
    assert at_backend == in_answer == [value]
    assert line["external_request_id"] == value
    assert HEX.fullmatch(line["request_id"])


@pytest.mark.parametrize("values", [
    (), ("one", "two"), ("same", "same"), (LONGEST + "a",), ("a b",), ("a,b",), ('a"b',), ("",),
], ids=str)  # fmt: skip
def test_E10_2_trusted_anything_else_is_replaced(daemon, make, front, values):
    at_backend, in_answer, line = sees(daemon, make("trusted"), front, *values)
    assert HEX.fullmatch(line["request_id"])
    assert at_backend == in_answer == [line["request_id"]]
    assert "external_request_id" not in line


@pytest.mark.parametrize("mode", ["off", "always", "trusted"])
def test_E10_2_a_bare_cr_is_refused_before_any_id(api, lb, backend, mode):
    service = api.make_service(lb, [backend()], **settings(mode))
    with RawClient(service.address, service.port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\nX-Request-Id: a\rb\r\n\r\n")
        assert client.read_response().status == 400
    assert service.backends[0].requests == []


def test_E10_2_off_nothing_is_touched_but_the_log_has_an_id(daemon, make, front):
    at_backend, in_answer, line = sees(daemon, make("off"), front, "one", "two")
    assert at_backend == ["one", "two"]
    assert in_answer == []
    assert HEX.fullmatch(line["request_id"])
    assert "external_request_id" not in line


def test_E10_2_the_group_says_who_is_trusted(daemon, api, make, front, group):
    made = group(TWO)
    service = make("trusted", trusted_ipgroup_id=made)
    assert sees(daemon, service, front, "theirs", source=TWO)[0] == ["theirs"]
    at_backend, _, line = sees(daemon, service, front, "theirs", source=ONE)
    assert at_backend == [line["request_id"]]
    api.update("ipgroup", made, ip_list=[{"ip": ONE}])
    assert sees(daemon, service, front, "theirs", source=ONE)[0] == ["theirs"]
    assert sees(daemon, service, front, "theirs", source=TWO)[0] != ["theirs"]


def test_10_2_a_change_counts_for_the_next_request(daemon, make, front):
    service = make("off")
    with Asker(service, front) as asker:
        assert asker.ask().get_all(NAME) == []
        service.update_listener(**settings("always"))
        assert HEX.fullmatch(asker.ask().get(NAME))
        service.update_listener(**settings("always", format="uuid"))
        assert UUID.fullmatch(asker.ask().get(NAME))
        service.update_listener(extensions={"request_id": None})
        assert asker.ask().get_all(NAME) == []


def test_10_2_printed_as_a_uuid_in_a_field_of_any_name(daemon, make, front):
    service = make("trusted", format="uuid", header="X-Correlation-Id")
    target = f"/id-{next(_unique)}-"
    reply = ask(service, front, target, fields=[("X-Request-Id", "other")])
    line = daemon.access_log.wait_for(target)
    assert UUID.fullmatch(line["request_id"])
    assert reply.get_all("x-correlation-id") == [line["request_id"]]
    headers = {name.lower(): value for name, value in service.backends[0].requests[-1].headers}
    assert headers["x-correlation-id"] == line["request_id"]
    assert headers[NAME] == "other"


def test_10_2_without_response_the_answer_is_the_backends(daemon, make, front):
    at_backend, in_answer, line = sees(daemon, make("always", response=False), front)
    assert at_backend == [line["request_id"]]
    assert in_answer == []


def test_10_2_answers_of_the_load_balancer_carry_it_too(daemon, make, front):
    service = make("always")
    target = f"/id-{next(_unique)}-"
    reply = ask(service, front, target, method="TRACE")
    assert reply.status == 405
    assert reply.get(NAME) == daemon.access_log.wait_for(target)["request_id"]


def test_10_2_tells_time_and_node_and_is_never_the_same(daemon, make, front):
    service = make("always")
    before = int(time.time() * 1000)
    with Asker(service, front) as asker:
        ids = [asker.ask().get(NAME) for _ in range(50)]
    assert len(set(ids)) == 50
    node = hashlib.sha256(socket.gethostname().encode()).hexdigest()[:6]
    assert {value[-6:] for value in ids} == {node}
    times = [int(value[:12], 16) for value in ids]
    assert before - 250 <= times[0] and times == sorted(times)
    assert times[-1] <= int(time.time() * 1000) + 250


@pytest.mark.parametrize("guaranteed", [True, False])
@pytest.mark.parametrize("wrong, path", [
    ({"mode": "sometimes"}, "mode"),
    ({"header": ""}, "header"),
    ({"header": "a" * 41}, "header"),
    ({"header": "X_Request_Id"}, "header"),
    ({"header": "Content-Length"}, "header"),
    ({"header": "X-Forwarded-For"}, "header"),
    ({"format": "octal"}, "format"),
    ({"trusted_ipgroup_id": "0" * 32}, "trusted_ipgroup_id"),
], ids=str)  # fmt: skip
def test_10_2_wrong_settings_are_refused(api, guaranteed, wrong, path):
    lb = api.make_lb(guaranteed=guaranteed) if guaranteed else api.make_lb(
        guaranteed=False, ip_target_enable=False)
    try:
        answer = api.try_create("listener", loadbalancer_id=lb["id"], protocol="HTTP",
                                protocol_port=80,
                                extensions={"request_id": {"mode": "always", **wrong}})
        answer.expect_error(400, "8902")
        paths = [detail["path"] for detail in answer.body["details"]]
        assert paths == [f"listener.extensions.request_id.{path}"]
    finally:
        api.drop_lb(lb["id"])
