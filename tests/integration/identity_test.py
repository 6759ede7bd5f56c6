"""Tokens by password and by token, catalogue, discovery (api-v3.md 4.1 to 4.3)."""

from __future__ import annotations

import concurrent.futures
import copy

import pytest

from rig.parallel import spread
from rig.timing import wait_until


def issue(api, identity: dict):
    return api.raw("POST", "/v3/auth/tokens", json=identity)


def test_a_password_gives_a_project_token(api):
    answer = issue(api, api.password_identity()).expect(201)
    token = answer.body["token"]
    assert answer.headers["X-Subject-Token"]
    assert token["methods"] == ["password"]
    assert (token["user"]["name"], token["project"]["name"]) == (api.user, "eu-de")
    assert token["project"]["id"] == api.project_id
    assert token["roles"] and token["expires_at"] > token["issued_at"]
    assert "password" not in str(answer.body).replace("password_expires_at", "").replace(
        "'methods': ['password']", ""
    )


def test_the_catalogue_leads_to_the_api(api):
    answer = issue(api, api.password_identity()).expect(201)
    urls = {
        entry["type"]: [point for point in entry["endpoints"] if point["interface"] == "public"]
        for entry in answer.body["token"]["catalog"]
    }
    (elb,) = urls["elbv3"]
    assert elb["url"].endswith(f"/v3/{api.project_id}")
    assert elb["region"] == elb["region_id"] == "eu-de"
    for kind in ("identity", "network", "compute"):
        assert urls[kind]
    headers = {"X-Auth-Token": answer.headers["X-Subject-Token"]}
    path = elb["url"].split("://")[1].partition("/")[2]
    api.raw("GET", f"/{path}/elb/loadbalancers", headers=headers).expect(200)


@pytest.mark.parametrize("change", ["password", "user", "project"])
def test_bad_credentials_are_401_and_alike(api, change):
    identity = copy.deepcopy(api.password_identity())
    user = identity["auth"]["identity"]["password"]["user"]
    if change == "project":
        identity["auth"]["scope"]["project"]["name"] = "nowhere"
    else:
        user["password" if change == "password" else "name"] = "wrong wrong wrong"
    answer = issue(api, identity)
    assert answer.status == 401
    assert answer.body["error"]["code"] == 401 and answer.body["error"]["title"] == "Unauthorized"
    assert "X-Subject-Token" not in answer.headers


@pytest.mark.parametrize("body", [{}, {"auth": {}}, {"auth": {"identity": {}}},
                                  {"auth": {"identity": {"methods": ["password"]}}}, [], "x"])
def test_an_incomplete_request_is_400(api, body):
    assert issue(api, body).status == 400


@pytest.mark.parametrize("scope, key", [(None, None), ("unscoped", None),
                                        ({"domain": {"name": "default"}}, "domain")])
def test_other_scopes(api, scope, key):
    token = issue(api, api.password_identity(scope=scope)).expect(201).body["token"]
    assert ("project" in token, "domain" in token) == (False, key == "domain")
    if key is None:
        assert token.get("catalog", []) == []


def test_a_project_can_be_named_by_id(api):
    token = issue(api, api.password_identity(scope={"project": {"id": api.project_id}}))
    assert token.expect(201).body["token"]["project"]["name"] == "eu-de"


def test_a_token_gives_another_token(api):
    scope = {"project": {"id": api.project_id}}
    body = {"auth": {"identity": {"methods": ["token"], "token": {"id": api.token}},
                     "scope": scope}}
    answer = issue(api, body).expect(201)
    headers = {"X-Auth-Token": answer.headers["X-Subject-Token"]}
    api.raw("GET", api.base + "loadbalancers", headers=headers).expect(200)
    body["auth"]["identity"]["token"]["id"] = "nonsense"
    assert issue(api, body).status == 401


def test_a_token_can_be_checked_and_revoked(api):
    token = issue(api, api.password_identity()).headers["X-Subject-Token"]
    headers = {"X-Auth-Token": api.token, "X-Subject-Token": token}
    answer = api.raw("GET", "/v3/auth/tokens", headers=headers).expect(200)
    assert answer.headers["X-Subject-Token"] == token
    assert answer.body["token"]["project"]["id"] == api.project_id
    assert api.raw("HEAD", "/v3/auth/tokens", headers=headers).status == 200
    api.raw("DELETE", "/v3/auth/tokens", headers=headers).expect(204)
    assert api.raw("GET", "/v3/auth/tokens", headers=headers).status == 404
    own = {"X-Auth-Token": token}
    api.raw("GET", api.base + "loadbalancers", headers=own).expect_error(401, "SYS.0401")


def test_projects_and_domains_are_listed(api):
    headers = {"X-Auth-Token": api.token}
    projects = api.raw("GET", "/v3/projects?name=eu-de", headers=headers).expect(200)
    assert [project["id"] for project in projects.body["projects"]] == [api.project_id]
    none = api.raw("GET", "/v3/projects?name=other", headers=headers).expect(200)
    assert none.body["projects"] == []
    domains = api.raw("GET", "/v3/auth/domains", headers=headers).expect(200)
    assert domains.body["domains"][0]["enabled"] is True
    assert api.raw("GET", "/v3/auth/catalog", headers=headers).expect(200).body["catalog"]


def test_identity_documents_its_version(api):
    version = api.raw("GET", "/v3").expect(200).body["version"]
    assert (version["id"], version["status"]) == ("v3.14", "stable")


def test_tokens_survive_a_restart_and_wrong_passwords_lock(own_daemon):
    """api-extensions.md 5.5, 5.6: the sixth attempt after five wrong ones waits."""
    running = own_daemon()
    api = running.api()
    running.restart()
    api.origin = running.origin
    api.try_list("loadbalancer").expect(200)
    wrong = api.password_identity("wrong wrong wrong")
    for _ in range(5):
        assert issue(api, wrong).status == 401
    answer = issue(api, wrong)
    assert answer.status == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert issue(api, api.password_identity()).status == 429, "checked although locked"
    api.try_list("loadbalancer").expect(200)


def test_parallel_wrong_passwords_lock_all_the_same(own_daemon):
    """api-extensions.md 5.5: never more than five are checked, however many come at once."""
    api = own_daemon().api()
    wrong = api.password_identity("wrong wrong wrong")
    statuses = spread(range(12), 12, lambda _: issue(api, wrong).status)
    assert (statuses.count(401), statuses.count(429)) == (5, 7)


def test_no_call_waits_behind_a_queue_of_sign_ins(own_daemon):
    """Passwords are checked beside the control thread, which writes meanwhile."""
    running = own_daemon()
    api, ended = running.api(), []

    def sign_in(_) -> None:
        issue(api, api.password_identity()).expect(201)
        ended.append(True)

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        waiting = [pool.submit(sign_in, number) for number in range(20)]
        wait_until(lambda: ended)
        made = api.create("ipgroup", name="meanwhile")
        assert len(ended) < 20, "the write waited for every sign-in"
        for each in waiting:
            each.result()
    api.delete("ipgroup", made["id"])


def test_no_password_reaches_a_file(daemon, api):
    """E4.2: neither the store nor the log holds the password."""
    issue(api, api.password_identity())
    for path in [*daemon.data.rglob("*"), daemon.log_path]:
        if path.is_file():
            assert daemon.password.encode() not in path.read_bytes(), path
