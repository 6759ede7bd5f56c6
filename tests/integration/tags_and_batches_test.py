"""Tags of load balancers and listeners, members in batches (api-v3.md 2.15, 2.18)."""

from __future__ import annotations

import pytest

TAGS = [{"key": "stage", "value": "test"}, {"key": "owner", "value": ""}]


@pytest.fixture(params=["/v2.0/{}/", "/v3/{}/"], ids=["terraform", "huawei"])
def base(api, request):
    """Both faces of the same data."""
    return request.param.format(api.project_id)


@pytest.fixture(params=["loadbalancers", "listeners"])
def tagged(api, lb, base, request):
    """`(path of the object, function that shows its v3 tags)`"""
    if request.param == "loadbalancers":
        return f"{base}loadbalancers/{lb['id']}", lambda: api.show("loadbalancer", lb["id"])["tags"]
    made = api.create("listener", loadbalancer_id=lb["id"], protocol="HTTP", protocol_port=80)
    return f"{base}listeners/{made['id']}", lambda: api.show("listener", made["id"])["tags"]


def act(api, path: str, action: str, *tags: dict):
    return api.call("POST", path + "/tags/action", {"action": action, "tags": list(tags)})


def test_tags_are_added_overwritten_in_place_and_removed(api, tagged):
    path, shown = tagged
    act(api, path, "create", *TAGS).expect(204)
    assert shown() == TAGS
    act(api, path, "create", {"key": "stage", "value": "live"}).expect(204)
    assert shown() == [{"key": "stage", "value": "live"}, TAGS[1]]
    act(api, path, "delete", {"key": "stage"}, {"key": "missing"}).expect(204)
    assert shown() == [TAGS[1]]
    assert api.call("GET", path + "/tags").expect(200).body["tags"] == [TAGS[1]]


def test_one_tag_is_added_and_removed_by_its_key(api, tagged):
    path, shown = tagged
    api.call("POST", path + "/tags", {"tag": TAGS[0]}).expect(204)
    assert shown() == TAGS[:1]
    api.call("DELETE", path + "/tags/stage").expect(204)
    assert shown() == []
    api.call("DELETE", path + "/tags/stage").expect(404)


def test_a_bad_tag_and_an_unknown_object_have_their_error(api, tagged, base):
    path, shown = tagged
    for bad in ({"key": "", "value": "x"}, {"key": "k" * 129, "value": "x"},
                {"key": "k", "value": "v" * 256}):  # fmt: skip
        answer = act(api, path, "create", bad).expect(400)
        assert answer.body["code"] == "VPC.1801"
    many = [{"key": f"k{number}", "value": ""} for number in range(21)]
    act(api, path, "create", *many[:20]).expect(204)
    act(api, path, "create", many[20]).expect(400)
    assert shown() == many[:20]
    unknown = f"{base}loadbalancers/00000000-0000-0000-0000-000000000000"
    assert act(api, unknown, "create", *TAGS).expect(404).body["code"] == "VPC.1801"


def test_objects_are_found_by_their_tags(api, base):
    made = [api.make_lb(name=f"tagged-{number}") for number in range(3)]
    try:
        for number, each in enumerate(made):
            act(api, f"{base}loadbalancers/{each['id']}", "create",
                {"key": "number", "value": str(number)}, {"key": "set", "value": "found"})

        def found(action: str, *wanted: dict):
            body = {"action": action, "tags": list(wanted)}
            return api.call("POST", base + "loadbalancers/resource_instances/action",
                            body).expect(200).body

        both = found("filter", {"key": "number", "values": ["0", "2"]},
                     {"key": "set", "values": ["*oun"]})
        assert [each["resource_name"] for each in both["resources"]] == ["tagged-0", "tagged-2"]
        assert both["total_count"] == 2
        assert found("count", {"key": "set", "values": ["found"]}) == {"total_count": 3}
        assert found("count", {"key": "set", "values": ["other"]}) == {"total_count": 0}
        keys = api.call("GET", base + "loadbalancers/tags").expect(200).body["tags"]
        values = {each["key"]: sorted(each["values"]) for each in keys}
        assert (values["number"], values["set"]) == (["0", "1", "2"], ["found"])
    finally:
        for each in made:
            api.drop_lb(each["id"])


# --- members in batches --------------------------------------------------------------------------


@pytest.fixture
def service(api, lb, backend):
    return api.make_service(lb, [backend()])


def batch(service, verb: str, *members: dict):
    path = f"pools/{service.pool['id']}/members/batch-{verb}"
    return service.api.call("POST", path, {"members": list(members)})


def test_a_batch_of_members_serves_at_once(service, backend):
    more = [backend("B1"), backend("B2")]
    given = [{"address": each.address, "protocol_port": each.port, "name": each.name}
             for each in more]  # fmt: skip
    known = {"address": service.backends[0].address, "protocol_port": service.backends[0].port}
    made = batch(service, "add", *given, known).expect(201).body["members"]
    assert [each["ret_status"] for each in made] == ["successful", "successful", "existed"]
    assert {service.get().json()["id"] for _ in range(9)} == {"E1", "B1", "B2"}


def test_a_batch_of_weights_and_removals_counts_at_once(service, backend):
    more = [backend("B1"), backend("B2")]
    ids = [service.api.add_member(service.pool["id"], each)["id"] for each in more]
    batch(service, "update", {"id": service.members[0]["id"], "weight": 0}).expect(200)
    assert {service.get().json()["id"] for _ in range(8)} == {"B1", "B2"}
    removed = batch(service, "delete", {"id": ids[0]}).expect(200).body["members"]
    assert [each["id"] for each in removed] == ids[:1]
    assert {service.get().json()["id"] for _ in range(8)} == {"B2"}


# --- deletion in batches and cascades ------------------------------------------------------------


def test_a_batch_of_listeners_is_deleted_as_a_whole(api, lb, backend):
    service = api.make_service(lb, [backend()], port=8080)
    free = api.create("listener", loadbalancer_id=lb["id"], protocol="HTTP", protocol_port=8081)
    ids = [{"id": free["id"]}, {"id": service.listener["id"]}]
    refused = api.call("POST", "listeners/batch-delete", {"listeners": ids})
    refused.expect_error(409, "8907")
    assert [each["id"] for each in refused.body["blockers"]] == [service.members[0]["id"]]
    api.try_show("listener", free["id"]).expect(200)
    api.delete("member", service.members[0]["id"], pool=service.pool["id"])
    done = api.call("POST", "listeners/batch-delete", {"listeners": ids}).expect(200).body
    assert [each["ret_status"] for each in done["listeners"]] == ["successful", "successful"]
    for each in ids:
        api.try_show("listener", each["id"]).expect(404)


def test_a_cascade_of_a_pool_ends_its_traffic(api, service):
    assert service.get().status == 200
    api.call("POST", f"pools/{service.pool['id']}/delete-cascade").expect(204)
    assert service.get().status == 503
    assert api.show("listener", service.listener["id"])["default_pool_id"] is None


@pytest.mark.parametrize("path", ["loadbalancers/{}/clone", "loadbalancers/{}/topology",
                                  "loadbalancers/{}/availability-zone/batch-add", "recycle-bin",
                                  "master-slave-pools", "certificates/settings/private-key-echo"])
def test_what_is_not_offered_says_so(api, lb, path):
    api.call("POST", path.format(lb["id"]), {}).expect_error(403, "8962")
