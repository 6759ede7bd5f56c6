"""Certificates through the API, and how their keys rest (api-v3.md 2.6)."""

from __future__ import annotations

import stat
import subprocess

import pytest

from rig import certs


@pytest.fixture(scope="module")
def issued(ca):
    return {kind: ca.issue("a.test", key=kind) for kind in ("rsa", "ec", "p384")}


def body(issued, **fields) -> dict:
    return {"certificate": issued.chain_pem, "private_key": issued.key_pem, **fields}


def test_a_certificate_is_echoed_verbatim(api, issued):
    made = api.create("certificate", **body(issued["ec"], name="c", domain="a.test,*.b.test"))
    assert made["certificate"] == issued["ec"].chain_pem
    assert made["private_key"] == issued["ec"].key_pem
    assert (made["type"], made["domain"], made["name"]) == ("server", "a.test,*.b.test", "c")
    expires = issued["ec"].certificate.not_valid_after.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert made["expire_time"] == expires
    api.delete("certificate", made["id"])


@pytest.mark.parametrize("key", ["rsa", "ec", "p384"])
@pytest.mark.parametrize("form", ["pkcs8", "traditional"])
def test_key_forms(api, issued, key, form):
    pem = certs.key_pem(issued[key].key, form)
    api.create("certificate", certificate=issued[key].leaf_pem, private_key=pem)


@pytest.mark.parametrize("change", [
    lambda pem: pem.replace("\n", "\r\n"), lambda pem: "\n\n  " + pem + "\n\n\n",
    lambda pem: pem.rstrip("\n"), lambda pem: "subject=O = ELB\nissuer=x\n" + pem,
])  # fmt: skip
def test_pem_may_be_untidy(api, issued, change):
    pem = change(issued["ec"].leaf_pem)
    made = api.create("certificate", certificate=pem, private_key=issued["ec"].key_pem)
    assert made["certificate"] == pem


def test_odd_certificates_are_accepted(api):
    for odd in (certs.expired("old.test"), certs.self_signed("self.test"),
                certs.self_signed("weak.test", key="rsa1024")):  # fmt: skip
        api.create("certificate", **body(odd))


def test_unusable_certificates_and_keys(api, issued):
    rsa, ec = issued["rsa"], issued["ec"]
    locked = certs.key_pem(ec.key, password=b"secret")
    for fields, code in [
        ({"certificate": "garbage", "private_key": ec.key_pem}, "1011"),
        ({"certificate": ec.leaf_pem, "private_key": "garbage"}, "1011"),
        ({"certificate": ec.leaf_pem, "private_key": rsa.key_pem}, "1011"),
        ({"certificate": ec.leaf_pem, "private_key": locked}, "1011"),
        ({"certificate": ec.leaf_pem}, "8902"),
        ({"private_key": ec.key_pem}, "8902"),
        ({"certificate": "garbage", "type": "client"}, "5051"),
        ({"certificate": ec.leaf_pem, "private_key": ec.key_pem, "type": "other"}, "8902"),
    ]:
        api.try_create("certificate", **fields).expect_error(400, code)


@pytest.mark.parametrize("domain", ["-a.test", "a-.test", "a..test", "*", "a.*.test", "*a.test",
                                    "a_b.test", "a" * 64 + ".test", ("a" * 49 + ".") * 2 + "test",
                                    ",".join(f"n{i}.test" for i in range(101)), "a.test,,b.test"])
def test_wrong_domains(api, issued, domain):
    answer = api.try_create("certificate", **body(issued["ec"], domain=domain))
    answer.expect_error(400, "8902")


def test_a_client_certificate_needs_no_key(api, ca):
    made = api.create("certificate", type="client", certificate=ca.pem)
    assert (made["type"], made["private_key"]) == ("client", None)


def test_replacing_keeps_the_pair_matching(api, issued):
    made = api.create("certificate", **body(issued["ec"]))
    rsa = issued["rsa"]
    for fields in ({"certificate": rsa.leaf_pem}, {"private_key": rsa.key_pem},
                   {"certificate": "garbage"}):  # fmt: skip
        api.try_update("certificate", made["id"], fields).expect_error(400, "5013")
    assert api.show("certificate", made["id"]) == made
    changed = api.update("certificate", made["id"], **body(rsa))
    assert changed["certificate"] == rsa.chain_pem
    assert api.update("certificate", made["id"], private_key=None)["private_key"] == rsa.key_pem


def test_a_replaced_certificate_is_served_at_once(api, lb, backend, ca):
    first, second = ca.issue("a.test"), ca.issue("a.test", key="rsa")
    certificate = api.make_certificate(first)
    service = api.make_service(lb, [backend()], port=8443, certificate=certificate)
    with service.client() as old:
        old.get()
        session = old.session
        api.update("certificate", certificate["id"], **body(second))
        with service.client(session=session) as fresh:
            assert (fresh.peer_serial, fresh.tls.resumed) == (second.serial, False)
        assert old.get().status == 200 and old.peer_serial == first.serial


def test_the_chain_is_sent_without_a_final_root(api, lb, backend, ca, tmp_path):
    """2.3: leaf first, intermediates, no self-signed root at the end."""
    middle = certs.Authority("Intermediate", parent=ca)
    leaf = middle.issue("chain.test")
    pem = leaf.leaf_pem + middle.pem + ca.pem
    certificate = api.create("certificate", certificate=pem, private_key=leaf.key_pem)
    service = api.make_service(lb, [backend()], port=8443, certificate=certificate)
    (tmp_path / "ca.pem").write_text(ca.pem)
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"{service.address}:{service.port}", "-showcerts",
         "-servername", "chain.test", "-CAfile", tmp_path / "ca.pem", "-verify_return_error"],
        input="", capture_output=True, text=True, timeout=30)  # fmt: skip
    assert "Verify return code: 0 (ok)" in done.stdout
    assert done.stdout.count("BEGIN CERTIFICATE") == 2


def test_a_certificate_in_use_stays(api, lb, certificate):
    made = api.create("listener", loadbalancer_id=lb["id"], protocol="HTTPS", protocol_port=443,
                      default_tls_container_ref=certificate["id"], name="user")  # fmt: skip
    answer = api.try_delete("certificate", certificate["id"]).expect_error(409, "8907")
    assert answer.body["blockers"] == [{"kind": "listener", "id": made["id"], "name": "user"}]
    api.delete("listener", made["id"])


def test_private_keys_are_sealed_at_rest(own_daemon):
    """No byte sequence of a key is found in any file, live or after a restart (E4.2)."""
    running = own_daemon()
    api, issued = running.api(), certs.self_signed("sealed.test", key="rsa")
    certificate = api.make_certificate(issued, name="planted-name")
    lines = [line for line in issued.key_pem.splitlines() if "KEY" not in line]
    api.try_create("certificate", certificate="x", private_key=issued.key_pem)
    running.restart()
    api = running.api()
    assert api.show("certificate", certificate["id"])["private_key"] == issued.key_pem
    found_name = False
    for path in [*running.data.rglob("*"), running.log_path, running.access_log.path]:
        if path.is_file():
            data = path.read_bytes()
            found_name = found_name or b"planted-name" in data
            assert not any(line.encode() in data for line in lines), path
    assert found_name, "the search does not look where the store is"


def test_files_are_private(daemon):
    daemon.api()
    for path in daemon.data.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert not mode & 0o077 or path.name == "api.port", f"{path}: {mode:o}"
    assert stat.S_IMODE(daemon.data.stat().st_mode) == 0o700


def test_a_key_never_appears_in_an_error(api, issued):
    answer = api.try_create("certificate", certificate="x", private_key=issued["ec"].key_pem)
    assert issued["ec"].key_pem.splitlines()[1] not in str(answer.body)
