"""Revisions without gaps, and optimistic concurrency (api-extensions.md 4.1, 4.4)."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from rig.parallel import spread
from rig.timing import wait_until

WRITERS = 64


@pytest.fixture
def pool(api, lb):
    return api.make_pool(lb["id"])


def revision(shown: dict) -> int:
    return shown["extensions"]["revision"]


def test_each_write_makes_one_revision(api, lb, pool):
    first = revision(pool)
    second = revision(api.update("pool", pool["id"], name="a"))
    third = revision(api.make_pool(lb["id"]))
    assert (second, third) == (first + 1, first + 2)


def test_a_write_without_effect_makes_none(api, lb, pool):
    same = api.update("pool", pool["id"], name=pool["name"])
    assert revision(same) == revision(pool)
    api.try_update("pool", pool["id"], {"name": "x" * 256}).expect_error(400, "8902")
    assert revision(api.make_pool(lb["id"])) == revision(pool) + 1


def test_numbers_have_no_gap_under_parallel_writers(api, lb, pool):
    """E4.1 with 64 writers: creates, and updates of one common object."""
    before = revision(api.update("pool", pool["id"], name="start"))

    def write(number: int) -> int:
        if number % 2:
            return revision(api.make_pool(lb["id"], name=f"w{number}"))
        return revision(api.update("pool", pool["id"], description=f"d{number}"))

    numbers = spread(range(WRITERS * 4), WRITERS, write)
    assert sorted(numbers) == list(range(before + 1, before + 1 + WRITERS * 4))


def test_answers_say_which_revision_they_reflect(api, pool):
    answer = api.try_update("pool", pool["id"], {"name": "now"}).expect(200)
    assert int(answer.headers["X-Elb-Revision"]) >= revision(answer.body["pool"])


def test_the_etag_is_the_revision(api, pool):
    for answer in (api.try_show("pool", pool["id"]), api.try_update("pool", pool["id"], {})):
        assert answer.headers["ETag"] == f'"r{revision(answer.body["pool"])}"'


def test_if_match_lets_only_the_current_through(api, pool):
    etag = api.try_show("pool", pool["id"]).headers["ETag"]
    headers = {"If-Match": etag}
    api.try_update("pool", pool["id"], {"name": "first"}, headers=headers).expect(200)
    answer = api.try_update("pool", pool["id"], {"name": "second"}, headers=headers)
    answer.expect_error(412, "9710")
    detail = answer.body["details"][0]
    assert (detail["path"], detail["changed_by"]) == ("If-Match", api.user)
    assert detail["current"] == api.try_show("pool", pool["id"]).headers["ETag"]
    assert api.show("pool", pool["id"])["name"] == "first"
    api.try_delete("pool", pool["id"], headers=headers).expect_error(412, "9710")
    listed = {"If-Match": f'"r1", {detail["current"]}'}
    api.try_delete("pool", pool["id"], headers=listed).expect(204)


def test_other_forms_of_if_match(api, lb, pool):
    etag = api.try_show("pool", pool["id"]).headers["ETag"]
    weak = {"If-Match": f"W/{etag}"}
    api.try_update("pool", pool["id"], {"name": "x"}, headers=weak).expect_error(412, "9710")
    api.try_update("pool", pool["id"], {"name": "x"}, headers={"If-Match": "*"}).expect(200)
    api.delete("pool", pool["id"])
    star = {"If-Match": "*"}
    api.try_update("pool", pool["id"], {"name": "x"}, headers=star).expect_error(404, "8904")
    body = {"pool": {"loadbalancer_id": lb["id"], "protocol": "HTTP",
                     "lb_algorithm": "ROUND_ROBIN"}}  # fmt: skip
    api.call("POST", "pools", body, headers=star).expect_error(400, "9702")


def test_status_and_back_references_do_not_move_the_etag(api, lb, backend):
    """E4.6."""
    service = api.make_service(lb, [backend()])
    before = api.try_show("loadbalancer", lb["id"]).headers["ETag"]
    api.create("listener", loadbalancer_id=lb["id"], protocol="HTTP", protocol_port=9000)
    api.add_monitor(service.pool["id"])
    assert api.try_show("loadbalancer", lb["id"]).headers["ETag"] == before


def test_of_two_writers_with_the_same_etag_one_wins(api, pool):
    etag = api.try_show("pool", pool["id"]).headers["ETag"]

    def write(name: str) -> int:
        headers = {"If-Match": etag}
        return api.try_update("pool", pool["id"], {"name": name}, headers=headers).status

    statuses = spread([f"n{number}" for number in range(16)], 16, write)
    assert sorted(statuses) == [200] + [412] * 15


def test_old_revisions_are_forgotten_in_time(own_daemon):
    """api-extensions.md 4.2 with the smallest `revisions_max`: the store stays bounded."""
    running = own_daemon(config={"revisions_max": 100})
    api = running.api()
    group = api.create("ipgroup", name="g")
    for number in range(150):
        group = api.update("ipgroup", group["id"], name=f"g{number}")

    def kept() -> int:
        store = sqlite3.connect(f"file:{running.data / 'elb.db'}?mode=ro", uri=True)
        with contextlib.closing(store):
            return store.execute("SELECT count(*) FROM revision").fetchone()[0]

    wait_until(lambda: kept() == 100)
    assert revision(api.update("ipgroup", group["id"], name="last")) == revision(group) + 1
