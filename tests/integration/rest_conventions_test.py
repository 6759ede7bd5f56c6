"""Conventions of the management API that hold for every resource (api-v3.md 1)."""

from __future__ import annotations

import json
import re
import uuid

import pytest

from rig import http1
from rig.api import PATHS, plural
from rig.clients import RawClient

UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
HEX32 = re.compile(r"^[0-9a-f]{32}$")
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
KINDS = ["loadbalancer", "listener", "pool", "healthmonitor", "certificate"]
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def objects(api, module_lb, server_certificates, module_backend):
    """One object of each kind, as its create call showed it."""
    certificate = api.make_certificate(server_certificates["ec"], name="conventions")
    pool = api.make_pool(module_lb["id"])
    member = api.add_member(pool["id"], module_backend())
    monitor = api.add_monitor(pool["id"])
    listener = api.create("listener", loadbalancer_id=module_lb["id"], protocol="HTTPS",
                          protocol_port=443 + 8000, default_pool_id=pool["id"],
                          default_tls_container_ref=certificate["id"])
    return {"loadbalancer": module_lb, "certificate": certificate, "pool": pool,
            "member": member, "healthmonitor": monitor, "listener": listener}  # fmt: skip


def fields_of(kind: str, objects) -> dict:
    """A small valid body for a create call."""
    lb = objects["loadbalancer"]
    return {
        "loadbalancer": {"availability_zone_list": ["eu-de-01"], "vpc_id": lb["vpc_id"]},
        "listener": {"loadbalancer_id": lb["id"], "protocol": "HTTP", "protocol_port": 9999},
        "pool": {"loadbalancer_id": lb["id"], "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN"},
        "healthmonitor": {"pool_id": objects["pool"]["id"], "type": "HTTP", "delay": 1,
                          "timeout": 1, "max_retries": 1},
        "certificate": {"certificate": objects["certificate"]["certificate"],
                        "private_key": objects["certificate"]["private_key"]},
    }[kind]  # fmt: skip


# --- answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_show_and_list_emit_the_same_representation(api, objects, kind):
    id = objects[kind]["id"]
    shown = api.try_show(kind, id).expect(200)
    assert set(shown.body) == {kind, "request_id"}
    listed = api.try_list(kind, id=id).expect(200)
    assert set(listed.body) == {plural(kind), "page_info", "request_id"}
    assert listed.body[plural(kind)] == [shown.body[kind]]
    updated = api.update(kind, id)
    assert updated == shown.body[kind]
    assert set(objects[kind]) == set(shown.body[kind])


@pytest.mark.parametrize("kind", [*KINDS, "member"])
def test_common_fields_have_their_form(api, objects, kind):
    shown = objects[kind]
    assert (HEX32 if kind == "certificate" else UUID).match(shown["id"])
    assert HEX32.match(shown["project_id"]) and shown["project_id"] == api.project_id
    assert TIME.match(shown["created_at"]) and TIME.match(shown["updated_at"])
    assert shown["admin_state_up"] is True
    assert not {"connection", "cps", "microversion", "self", "cls"} & set(shown)
    assert isinstance(shown["extensions"]["revision"], int)
    assert shown["extensions"]["managed_by"] == ""


def test_every_answer_names_its_request(api, objects):
    lb = objects["loadbalancer"]["id"]
    seen = set()
    for answer in (api.try_show("loadbalancer", lb), api.try_list("pool"),
                   api.try_show("listener", "nothing"), api.raw("GET", "/versions")):  # fmt: skip
        assert answer.headers["content-type"].startswith("application/json")
        assert answer.headers["x-request-id"]
        if "request_id" in answer.body:
            assert answer.body["request_id"] == answer.headers["x-request-id"]
        seen.add(answer.headers["x-request-id"])
    assert len(seen) == 4


def test_answers_are_not_to_be_cached(api):
    answer = api.try_list("pool")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_delete_answers_204_without_body(api, objects):
    made = api.create("pool", **fields_of("pool", objects))
    answer = api.try_delete("pool", made["id"]).expect(204)
    assert answer.body is None and answer.headers["x-request-id"]
    api.try_delete("pool", made["id"]).expect_error(404, "8904")


# --- routing ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("id", ["web", str(uuid.uuid4()), "0" * 32, "a%20b"])
def test_an_unknown_id_is_404_whatever_its_form(api, objects, kind, id):
    api.try_show(kind, id).expect_error(404, "8904")
    api.try_update(kind, id, {"name": "x"}).expect_error(404, "8904")
    api.try_delete(kind, id).expect_error(404, "8904")


def test_unknown_paths_and_methods(api):
    api.call("GET", "nothings").expect_error(404, "8904")
    api.call("GET", "/v9/nothing").expect_error(404, "8904")
    api.call("PUT", "loadbalancers", {"loadbalancer": {}}).expect_error(405, "8902")
    api.call("PATCH", "listeners", {}).expect_error(405, "8902")


def test_a_slash_at_the_end_is_accepted(api):
    assert api.call("GET", "loadbalancers/").expect(200).body["loadbalancers"] is not None


def test_versions_need_no_token(api):
    versions = api.raw("GET", "/versions").expect(200).body["versions"]
    assert {"id": "v3", "status": "CURRENT"} in versions
    assert api.raw("GET", "/ext").expect(200).body["versions"] == [
        {"id": "v1", "status": "CURRENT"}
    ]
    assert api.raw("GET", "/").status in (200, 300)


# --- authentication -----------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, {"X-Auth-Token": ""}, {"X-Auth-Token": "nonsense"}])
@pytest.mark.parametrize("path", ["loadbalancers", "listeners/x", "pools/x/members"])
def test_without_a_valid_token_every_call_is_401(api, headers, path):
    api.raw("GET", api.base + path, headers=headers).expect_error(401, "SYS.0401")


def test_another_project_is_403(api):
    other = uuid.uuid4().hex
    api.call("GET", f"/v3/{other}/elb/loadbalancers").expect_error(403, "SYS.0403")
    body = {"pool": {"protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN"}}
    api.call("POST", f"/v3/{other}/elb/pools", body).expect_error(403, "SYS.0403")


# --- bodies -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["", "{}", "null", '{"KIND":null}', '{"other":{}}'])
def test_an_empty_body_or_envelope_is_0002(api, objects, kind, text):
    data = text.replace("KIND", kind)
    api.call("POST", PATHS[kind], data=data, headers=JSON).expect_error(400, "0002")
    path = api.path(kind, objects[kind]["id"])
    api.call("PUT", path, data=data, headers=JSON).expect_error(400, "0002")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["{", '{"KIND":[]}', '{"KIND":"x"}', '{"KIND":1}',
                                  '{"KIND":{"name":}}', '{"KIND":{}} x'])  # fmt: skip
def test_an_unreadable_body_is_8902(api, kind, text):
    data = text.replace("KIND", kind)
    api.call("POST", PATHS[kind], data=data, headers=JSON).expect_error(400, "8902")


def test_a_deeply_nested_body_is_refused_calmly(api):
    data = '{"pool":' + "[" * 100_000 + "]" * 100_000 + "}"
    assert api.call("POST", "pools", data=data, headers=JSON).status == 400
    assert api.try_list("pool").status == 200


def test_a_body_over_2_MiB_is_413(api):
    body = {"pool": {"name": "x" * (2 << 20)}}
    api.call("POST", "pools", body).expect_error(413, "9761")


def test_a_badly_framed_body_is_answered_as_an_error(api):
    host, port = api.origin.partition("://")[2].split(":")
    with RawClient(host, int(port), tls=api.origin.startswith("https")) as client:
        fields = [*JSON.items(), ("X-Auth-Token", api.token), ("Transfer-Encoding", "chunked")]
        client.send(http1.request(api.base + "pools", "POST", fields=fields, body=b"zz\r\n"))
        answer = client.read_response("POST")
        assert answer.status == 400 and answer.complete and not answer.keeps
        assert answer.json()["error_code"].startswith("ELB.")


def test_unknown_fields_are_ignored(api, objects):
    fields = {**fields_of("pool", objects), "billing_info": "x", "conditions": [1, {}]}
    made = api.create("pool", **fields)
    assert "billing_info" not in made
    api.delete("pool", made["id"])


def test_an_unknown_key_in_extensions_is_refused(api, objects):
    """api-extensions.md 1.2: a typing mistake must not be lost."""
    answer = api.try_update("pool", objects["pool"]["id"], {"extensions": {"revisoin": 1}})
    answer.expect_error(400, "8902")
    assert answer.body["details"][0]["path"] == "pool.extensions.revisoin"


def test_of_duplicate_keys_the_last_wins(api, objects):
    fields = json.dumps(fields_of("pool", objects))[1:-1]
    data = '{"pool":{"name":"first","name":"last",' + fields + "}}"
    made = api.call("POST", "pools", data=data, headers=JSON).expect(201).body["pool"]
    assert made["name"] == "last"
    api.delete("pool", made["id"])


def test_json_may_say_its_charset_and_come_in_chunks(api, objects):
    body = json.dumps({"pool": {}}).encode()
    path = api.path("pool", objects["pool"]["id"])
    headers = {"Content-Type": "application/json;charset=utf-8"}
    api.call("PUT", path, data=iter([body[:4], body[4:]]), headers=headers).expect(200)


# --- names, descriptions ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_names_count_code_points(api, objects, kind):
    id, before = objects[kind]["id"], objects[kind]["name"]
    assert api.update(kind, id, name="\U0001f600" * 255)["name"] == "\U0001f600" * 255
    answer = api.try_update(kind, id, {"name": "x" * 256}).expect_error(400, "8902")
    assert "name" in answer.body["error_msg"]
    assert answer.body["details"][0]["path"] == f"{kind}.name"
    assert api.update(kind, id, name=None)["name"] == ""
    assert api.update(kind, id, name='<>"&é')["name"] == '<>"&é'
    api.try_update(kind, id, {"name": 5}).expect_error(400, "8902")
    api.update(kind, id, name=before)


@pytest.mark.parametrize("kind", ["loadbalancer", "listener", "pool", "certificate"])
def test_descriptions_and_admin_state(api, objects, kind):
    id = objects[kind]["id"]
    assert api.update(kind, id, description="d")["description"] == "d"
    assert api.update(kind, id, description=None)["description"] == ""
    if kind != "certificate":
        api.try_update(kind, id, {"admin_state_up": False}).expect_error(400, "8902")


@pytest.mark.parametrize("kind", KINDS)
def test_a_foreign_project_id_in_the_body_is_refused(api, objects, kind):
    fields = {**fields_of(kind, objects), "project_id": uuid.uuid4().hex}
    api.try_create(kind, **fields).expect_error(400, "8902")


# --- updates ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_update_changes_nothing(api, objects, kind):
    before = api.show(kind, objects[kind]["id"])
    assert api.update(kind, before["id"]) == before
    assert api.update(kind, before["id"], name=before["name"]) == before
    assert api.show(kind, before["id"]) == before


@pytest.mark.parametrize("kind", KINDS)
def test_what_get_returned_can_be_put_back(api, objects, kind):
    """E1.2: all fields at once, read-only ones included, change nothing."""
    before = api.show(kind, objects[kind]["id"])
    assert api.try_update(kind, before["id"], before).expect(200).body[kind] == before


def test_an_update_is_all_or_nothing(api, objects):
    before = api.show("listener", objects["listener"]["id"])
    wrong = {"name": "changed", "client_timeout": 0}
    api.try_update("listener", before["id"], wrong).expect_error(400, "8902")
    assert api.show("listener", before["id"]) == before


def test_all_problems_are_listed(api, objects):
    wrong = {**fields_of("listener", objects), "client_timeout": 301, "member_timeout": 0}
    answer = api.try_create("listener", **wrong).expect_error(400, "8902")
    paths = {detail["path"] for detail in answer.body["details"]}
    assert paths == {"listener.client_timeout", "listener.member_timeout"}
