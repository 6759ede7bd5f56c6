"""Listeners through the API (api-v3.md 2.2, 2.19)."""

from __future__ import annotations

import uuid

import pytest

from rig import modes

DEFAULT_INSERT_HEADERS = {
    "X-Forwarded-ELB-IP": False, "X-Forwarded-Port": False, "X-Forwarded-For-Port": False,
    "X-Forwarded-Host": True,
}  # fmt: skip


@pytest.fixture
def create(api, lb):
    """Creates listeners on the test's load balancer."""

    def build(port: int = 80, protocol: str = "HTTP", **fields) -> dict:
        return api.create("listener", loadbalancer_id=lb["id"], protocol=protocol,
                          protocol_port=port, **fields)  # fmt: skip

    return build


@pytest.fixture
def refuse(api, lb):
    """Tries to create a listener; expects this error."""

    def attempt(status: int, code: str, **fields):
        given = {"loadbalancer_id": lb["id"], "protocol": "HTTP", "protocol_port": 80, **fields}
        given = {key: value for key, value in given.items() if value is not ...}
        answer = api.try_create("listener", **given).expect_error(status, code)
        assert api.list("listener", loadbalancer_id=lb["id"]) == []
        return answer

    return attempt


def test_defaults_of_https(create, certificate, lb):
    listener = create(443, "HTTPS", default_tls_container_ref=certificate["id"])
    expected = {
        "name": "", "description": "", "protocol": "HTTPS", "protocol_port": 443,
        "admin_state_up": True, "connection_limit": -1, "cps_limit": -1,
        "loadbalancers": [{"id": lb["id"]}], "default_pool_id": None,
        "default_tls_container_ref": certificate["id"], "client_ca_tls_container_ref": None,
        "sni_container_refs": [], "sni_match_algo": "wildcard", "tls_ciphers_policy": "tls-1-0",
        "security_policy_id": None, "http2_enable": False, "enable_member_retry": True,
        "keepalive_timeout": 60, "client_timeout": 60, "member_timeout": 60, "ipgroup": None,
        "insert_headers": DEFAULT_INSERT_HEADERS, "transparent_client_ip_enable": True,
        "enhance_l7policy_enable": False, "quic_config": None, "gzip_enable": False,
        "nat64_enable": False, "proxy_protocol_enable": False,
        "access_log_customized_headers_config": None, "tags": [],
        "protection_status": "nonProtection", "protection_reason": "",
    }  # fmt: skip
    assert {key: listener.get(key, "absent") for key in expected} == expected


def test_defaults_of_http(create):
    listener = create()
    assert (listener["tls_ciphers_policy"], listener["sni_match_algo"]) == (None, None)
    assert listener["default_tls_container_ref"] is None
    assert listener["insert_headers"] == DEFAULT_INSERT_HEADERS


def test_terminated_https_is_https_on_dedicated(create, certificate):
    made = create(443, "TERMINATED_HTTPS", default_tls_container_ref=certificate["id"])
    assert made["protocol"] == "HTTPS"


@pytest.mark.parametrize("fields, code", [
    ({"loadbalancer_id": ...}, "8902"), ({"protocol": ...}, "8902"),
    ({"protocol_port": ...}, "8902"), ({"protocol_port": None}, "8902"),
    ({"protocol": "http"}, "8902"), ({"protocol": "QUIC"}, "8902"), ({"protocol": "FTP"}, "8902"),
    ({"protocol_port": 0}, "8902"), ({"protocol_port": 65536}, "8902"),
    ({"protocol_port": "80"}, "8902"), ({"protocol_port": 80.5}, "8902"),
    ({"client_timeout": 0}, "8902"), ({"client_timeout": 301}, "8902"),
    ({"member_timeout": 0}, "8902"), ({"member_timeout": 301}, "8902"),
    ({"keepalive_timeout": -1}, "8902"), ({"keepalive_timeout": 4001}, "8902"),
    ({"connection_limit": -2}, "8902"), ({"connection_limit": 1_000_001}, "8902"),
    ({"cps_limit": -2}, "8902"), ({"admin_state_up": False}, "8902"),
    ({"transparent_client_ip_enable": False}, "8902"), ({"http2_enable": "yes"}, "8902"),
    ({"insert_headers": {"X-Forwarded-Port": "yes"}}, "8902"),
    ({"insert_headers": {"X-Forwarded-TLS-Cipher-alias": "a b"}}, "8902"),
    ({"insert_headers": {"X-Forwarded-For-Processing-Mode": "drop"}}, "8902"),
    ({"protocol": "HTTPS"}, "8902"),
    ({"protocol": "HTTPS", "default_tls_container_ref": None}, "8902"),
    ({"default_tls_container_ref": "0" * 32}, "8902"),
    ({"security_policy_id": str(uuid.uuid4())}, "8902"),
])  # fmt: skip
def test_refused_on_create(refuse, fields, code):
    field = list(fields)[-1]
    answer = refuse(400, code, **fields)
    named = answer.body["details"][0]["path"]
    assert named.startswith("listener.")
    if field not in ("protocol",):
        assert named.split(".")[1] == field


@pytest.mark.parametrize("fields", [
    {"loadbalancer_id": str(uuid.uuid4())}, {"default_pool_id": str(uuid.uuid4())},
    {"protocol": "HTTPS", "default_tls_container_ref": "f" * 32},
])  # fmt: skip
def test_missing_references_are_404(refuse, fields):
    refuse(404, "8904", **fields)


def test_bounds_of_the_timeouts(create):
    low = create(81, keepalive_timeout=0, client_timeout=1, member_timeout=1)
    high = create(82, keepalive_timeout=4000, client_timeout=300, member_timeout=300)
    assert low["keepalive_timeout"] == 0
    assert (high["client_timeout"], high["member_timeout"]) == (300, 300)


def test_a_client_certificate_is_no_server_certificate(api, refuse, ca):
    authority = api.create("certificate", type="client", certificate=ca.pem)
    refuse(400, "8902", protocol="HTTPS", default_tls_container_ref=authority["id"])


def test_ports_of_one_load_balancer(api, create, lb, certificate):
    create(80, "HTTP")
    secure = {"default_tls_container_ref": certificate["id"]}
    for protocol, more in (("HTTP", {}), ("HTTPS", secure), ("TCP", {})):
        fields = {"loadbalancer_id": lb["id"], "protocol": protocol, "protocol_port": 80, **more}
        api.try_create("listener", **fields).expect_error(409, "8907")
    create(80, "UDP")
    fields = {"loadbalancer_id": lb["id"], "protocol": "UDP", "protocol_port": 80}
    api.try_create("listener", **fields).expect_error(409, "8907")
    api.try_create("listener", **{**fields, "protocol_port": 4789}).expect_error(400, "8902")


def test_the_same_port_on_another_load_balancer_is_free(api, create):
    create(80)
    other = api.make_lb()
    api.create("listener", loadbalancer_id=other["id"], protocol="HTTP", protocol_port=80)
    api.drop_lb(other["id"])


@pytest.mark.parametrize("listener, pool, allowed", [
    ("HTTP", "HTTP", True), ("HTTP", "HTTPS", False), ("HTTP", "TCP", False),
    ("HTTPS", "HTTP", True), ("HTTPS", "HTTPS", True), ("HTTPS", "TCP", False),
    ("TCP", "TCP", True), ("TCP", "HTTP", False), ("UDP", "UDP", True), ("UDP", "TCP", False),
])  # fmt: skip
def test_which_pool_fits_which_listener(api, lb, certificate, listener, pool, allowed):
    made = api.make_pool(lb["id"], protocol=pool)
    fields = {"loadbalancer_id": lb["id"], "protocol": listener, "protocol_port": 1000,
              "default_pool_id": made["id"]}  # fmt: skip
    if listener == "HTTPS":
        fields["default_tls_container_ref"] = certificate["id"]
    answer = api.try_create("listener", **fields)
    if allowed:
        answer.expect(201)
    else:
        answer.expect_error(400, "8902")


def test_a_pool_serves_one_listener(api, create, lb):
    pool = api.make_pool(lb["id"])
    first = create(80, default_pool_id=pool["id"])
    second = create(81)
    answer = api.try_update("listener", second["id"], {"default_pool_id": pool["id"]})
    answer.expect_error(409, "8907")
    api.update("listener", first["id"], default_pool_id=None)
    assert api.update("listener", second["id"], default_pool_id=pool["id"])["default_pool_id"]
    assert api.show("pool", pool["id"])["listeners"] == [{"id": second["id"]}]
    assert api.update("listener", second["id"], default_pool_id="")["default_pool_id"] is None


def test_a_pool_of_another_load_balancer_is_refused(api, create):
    other = api.make_lb()
    pool = api.make_pool(other["id"])
    listener = create()
    answer = api.try_update("listener", listener["id"], {"default_pool_id": pool["id"]})
    answer.expect_error(400, "8902")
    api.drop_lb(other["id"])


def test_immutable_fields(api, create):
    listener = create()
    id = listener["id"]
    same = {"protocol": "HTTP", "protocol_port": 80,
            "loadbalancer_id": listener["loadbalancers"][0]["id"]}  # fmt: skip
    assert api.update("listener", id, **same) == listener
    for field, value in {"protocol": "TCP", "protocol_port": 81,
                         "loadbalancer_id": str(uuid.uuid4())}.items():  # fmt: skip
        api.try_update("listener", id, {field: value}).expect_error(400, "8902")
    assert api.show("listener", id) == listener


def test_null_resets(api, create):
    listener = create(keepalive_timeout=5, client_timeout=6, member_timeout=7,
                      insert_headers={"X-Real-IP": True, "X-Forwarded-Host": False})
    assert listener["insert_headers"]["X-Real-IP"] is True
    merged = api.update("listener", listener["id"], insert_headers={"X-Forwarded-Port": True})
    assert merged["insert_headers"]["X-Real-IP"] is True
    assert merged["insert_headers"]["X-Forwarded-Host"] is False
    reset = api.update("listener", listener["id"], keepalive_timeout=None, client_timeout=None,
                       member_timeout=None, insert_headers=None)
    assert (reset["keepalive_timeout"], reset["client_timeout"], reset["member_timeout"]) == (
        60, 60, 60)  # fmt: skip
    assert reset["insert_headers"] == DEFAULT_INSERT_HEADERS


def test_https_keeps_a_server_certificate(api, create, certificate):
    listener = create(443, "HTTPS", default_tls_container_ref=certificate["id"])
    for value in (None, ""):
        answer = api.try_update("listener", listener["id"], {"default_tls_container_ref": value})
        answer.expect_error(400, "8902")


def test_updated_at_moves_only_with_a_change(api, create):
    listener = create()
    assert api.update("listener", listener["id"], name="")["updated_at"] == listener["updated_at"]
    changed = api.update("listener", listener["id"], name="x")
    assert changed["extensions"]["revision"] > listener["extensions"]["revision"]
    assert changed["updated_at"] >= listener["updated_at"]


def test_delete_is_refused_while_the_pool_has_members(api, lb, backend):
    service = api.make_service(lb, [backend()])
    answer = api.try_delete("listener", service.listener["id"]).expect_error(409, "8907")
    assert answer.body["blockers"][0]["kind"] == "member"
    assert service.get().status == 200
    api.delete("member", service.members[0]["id"], service.pool["id"])
    api.delete("listener", service.listener["id"])
    assert api.show("pool", service.pool["id"])["listeners"] == []
    with pytest.raises(ConnectionRefusedError):
        service.client()


def test_force_takes_the_pool_and_its_members(api, lb, backend):
    """T13.2: connections live on with the last generation and are told to close."""
    service = api.make_service(lb, [backend()], keepalive_timeout=60)
    with service.client() as client:
        assert client.get().keeps
        api.call("DELETE", f"listeners/{service.listener['id']}/force").expect(204)
        api.try_show("pool", service.pool["id"]).expect_error(404, "8904")
        with pytest.raises(ConnectionRefusedError):
            service.client()
        answer = client.get("/last")
        assert (answer.status, answer.get("connection").lower()) == (200, "close")
        assert client.expect_end().orderly


def test_a_listener_without_pool_answers_503(api, create, lb):
    create(8080)
    from rig.clients import RawClient

    with RawClient(lb["vip_address"], 8080) as client:
        answer = client.get(fields=[("Accept", "application/json")])
        assert (answer.status, answer.get("x-router-code")) == (503, "40000")
        assert answer.json()["status"] == 503
        answer = client.get()
        assert answer.get("content-type") == "text/html; charset=utf-8"


def test_changes_are_in_force_when_the_answer_comes(api, lb, backend, ca):
    """0.2, 13: the next request and the next handshake see them."""
    first, second = ca.issue("one.test"), ca.issue("two.test", key="rsa")
    one, two = api.make_certificate(first), api.make_certificate(second)
    service = api.make_service(lb, [backend()], port=8443, certificate=one)
    with service.client() as client:
        assert client.peer_serial == first.serial
        for turn in range(10):
            wanted, issued = ((two, second), (one, first))[turn % 2]
            service.update_listener(default_tls_container_ref=wanted["id"])
            with service.client() as fresh:
                assert fresh.peer_serial == issued.serial
            assert client.get().status == 200
            on = bool(turn % 2)
            service.update_listener(insert_headers={"X-Forwarded-Proto": on})
            client.get()
            proto = service.backends[0].requests[-1].get("x-forwarded-proto")
            assert proto == ("https" if on else None)


def test_an_address_that_cannot_be_bound_is_degraded_not_refused(api, lb, backend):
    """13: created all the same, DEGRADED with the reason, and retried."""
    import socket

    with socket.socket() as taken:
        taken.bind((lb["vip_address"], 0))
        taken.listen()
        port = taken.getsockname()[1]
        service = api.make_service(lb, [backend(mode=modes.ok())], port=port)
        path = f"loadbalancers/{lb['id']}/statuses"
        tree = api.call("GET", path).expect(200).body["statuses"]["loadbalancer"]
        assert tree["listeners"][0]["operating_status"] == "DEGRADED"
    from rig.timing import wait_until

    def serves() -> bool:
        try:
            return service.get().status == 200
        except OSError:
            return False

    wait_until(serves, 30, "the port to be taken over")
