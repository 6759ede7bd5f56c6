"""Which member gets a request (data-plane.md 6.1, 6.2)."""

from __future__ import annotations

import pytest

from rig import http1, modes
from rig.parallel import spread

REQUESTS = 1000


@pytest.fixture
def members(backend):
    return [backend(name, mode=modes.fixed(name.encode())) for name in ("A", "B", "C")]


def chosen_on_new_connections(service, count: int) -> list[str]:
    return [service.get(f"/{number}").body.decode() for number in range(count)]


def tally(names: list[str]) -> list[int]:
    return [names.count(name) for name in ("A", "B", "C")]


@pytest.mark.slow
@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_T6_1_weights_are_exact_over_all_workers(api, lb, members, certificate, tls):
    service = api.make_service(lb, members, weights=[5, 3, 2],
                               certificate=certificate if tls else None)
    assert tally(chosen_on_new_connections(service, REQUESTS)) == [500, 300, 200]
    for index, weight in enumerate([2, 3, 5]):
        service.set_weight(index, weight)
    after = tally(chosen_on_new_connections(service, REQUESTS))
    assert all(abs(got - due) <= 1 for got, due in zip(after, [200, 300, 500])), after


@pytest.mark.slow
def test_T6_1_weights_are_exact_with_64_connections_at_once(api, lb, members):
    service = api.make_service(lb, members, weights=[5, 3, 2])
    connections = 64
    shares = [REQUESTS // connections + (i < REQUESTS % connections) for i in range(connections)]

    def ask(share: int) -> list[str]:
        with service.client() as client:
            return [client.get(f"/{number}").body.decode() for number in range(share)]

    names = [name for part in spread(shares, connections, ask) for name in part]
    assert tally(names) == [500, 300, 200]


@pytest.mark.parametrize("weights, cycle", [([5, 1, 1], "AABACAA"), ([5, 3, 2], "ABCAABACBA")])
def test_T6_2_the_first_cycle_is_smooth(api, lb, members, weights, cycle):
    service = api.make_service(lb, members, weights=weights)
    assert "".join(chosen_on_new_connections(service, len(cycle))) == cycle


def test_T6_2_one_connection_or_many_makes_no_difference(api, lb, members):
    service = api.make_service(lb, members, weights=[5, 1, 1])
    with service.client() as client:
        first = "".join(client.get().body.decode() for _ in range(7))
    assert first == "AABACAA"


def test_T6_2_each_run_of_a_cycle_is_exact(api, lb, members):
    service = api.make_service(lb, members, weights=[7, 4, 2])
    names = chosen_on_new_connections(service, 13 * 5)
    for start in range(0, len(names), 13):
        assert tally(names[start : start + 13]) == [7, 4, 2]


def test_T6_3_weight_0_gets_nothing(api, lb, members):
    service = api.make_service(lb, members[:2], weights=[1, 0])
    assert set(chosen_on_new_connections(service, 20)) == {"A"}


def test_T6_3_only_weights_of_0_are_503(daemon, api, lb, members):
    service = api.make_service(lb, members[:2], weights=[0, 0])
    with service.client() as client:
        answer = client.get("/nobody-weighs")
        assert (answer.status, answer.get("x-router-code")) == (503, "50000")
        assert answer.keeps and client.get("/again").status == 503
    assert daemon.access_log.wait_for("/nobody-weighs")["error_reason"] == "no_eligible_member"
    service.set_weight(1, 1)
    assert service.get().body == b"B"


def test_13_3_a_weight_counts_from_the_answer_of_the_api_on(api, lb, members):
    """Read your writes: T13.3."""
    service = api.make_service(lb, members[:2], weights=[1, 1])
    with service.client() as client:
        for turn in range(20):
            service.set_weight(0, turn % 2)
            service.set_weight(1, 1 - turn % 2)
            expected = b"A" if turn % 2 else b"B"
            assert {client.get().body for _ in range(5)} == {expected}


def test_a_removed_member_gets_no_more_requests(api, lb, members):
    """6.7: no new requests once applied; those in flight finish."""
    service = api.make_service(lb, members[:2])
    members[0].set(modes.slow(1.0, modes.fixed(b"A")))
    members[1].set(modes.slow(1.0, modes.fixed(b"B")))
    clients = [service.client() for _ in range(6)]
    for client in clients:
        client.send(http1.request("/flight"))
    members[0].wait_for_requests(3)
    api.delete("member", service.members[0]["id"], service.pool["id"])
    members[1].set(modes.fixed(b"B"))
    assert set(chosen_on_new_connections(service, 10)) == {"B"}
    answers = [client.read_response().body for client in clients]
    assert sorted(answers) == [b"A"] * 3 + [b"B"] * 3
