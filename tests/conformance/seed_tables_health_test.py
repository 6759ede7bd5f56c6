"""The parameters of Tables 3 and 6, "Adding an HTTPS Listener": health checks, on dedicated and on
shared load balancers."""

from __future__ import annotations

import pytest

from conformance.site import KINDS, Site, make_site
from rig import certs, modes
from rig.parallel import concurrently
from rig.timing import LATE, check_duration, now, wait_until

ONLINE, OFFLINE, NO_MONITOR = "ONLINE", "OFFLINE", "NO_MONITOR"
SPECIAL = "/-/.%41&_~';@$*+,=!:()"


@pytest.fixture(params=KINDS)
def site(request, api, certificate, backend) -> Site:
    made = make_site(api, request.param, certificate, backend)
    yield made
    api.drop_lb(made.lb["id"])


def watched(site: Site, mode=None, tls=None, **monitor):
    """A service whose only member is probed from its first moment on."""
    service = site.service()
    service.monitor = site.monitor(service.pool, **monitor)
    member = site.backend(mode=mode, tls=tls)
    service.members, service.backends = [site.member(service.pool, member)], [member]
    return service


def status(service) -> str:
    return service.member_status()["operating_status"]


def becomes(service, wanted: str, timeout: float = 10.0) -> float:
    """Waits for the member's status; returns the moment."""
    wait_until(lambda: status(service) == wanted, timeout, wanted)
    return now()


def reason(service) -> str | None:
    given = service.member_status()["status"][0]["reason"]
    return given and given["reason_code"]


def refuse_all(site: Site, code: str, field: str, *values) -> None:
    pool = site.pool()
    for value in values:
        site.refuse_monitor(pool, code, **{field: value})


def test_table_3_6_health_check(site):
    """Off by default; on it decides; switched off again it decides nothing."""
    service = site.service(modes.ok())
    member = service.backends[0]
    assert status(service) == NO_MONITOR and member.probes == []
    member.probe_mode = modes.status(500)
    monitor = site.monitor(service.pool)
    becomes(service, OFFLINE)
    assert service.get().status == 503
    site.api.update("healthmonitor", monitor["id"], admin_state_up=False)
    assert status(service) == NO_MONITOR and service.get().status == 200
    site.api.update("healthmonitor", monitor["id"], admin_state_up=True)
    becomes(service, OFFLINE)
    site.api.delete("healthmonitor", monitor["id"])
    assert status(service) == NO_MONITOR and service.get().status == 200


def test_table_3_6_protocol(site):
    silent, spoken = watched(site, type="TCP"), watched(site, type="HTTP")
    becomes(silent, ONLINE), becomes(spoken, ONLINE)
    assert silent.backends[0].recorded == []
    assert spoken.backends[0].probes[0].head.start == "GET / HTTP/1.1"
    if site.shared:
        site.refuse_monitor(site.pool(), "9899", type="HTTPS")
    else:
        secure = watched(site, tls=certs.server_context(certs.expired("x.test")), type="HTTPS")
        becomes(secure, ONLINE)
    site.refuse_monitor(site.pool(), site.code("8902", "9805"), type=...)
    refuse_all(site, site.code("8902", "9899"), "type", "UDP_CONNECT", "PING")


def test_table_3_6_domain_name(site):
    """Blank by default: then Host is the load balancer's address."""
    names = [None, "w", "www.elb.com", "1" + "a" * 61 + "." + "b" * 37]
    services = [watched(site, domain_name=name) for name in names]
    for name, service in zip(names, services):
        service.backends[0].wait(lambda: service.backends[0].probes, 5)
        assert service.monitor["domain_name"] == name
        wanted = name or site.lb["vip_address"]
        assert service.backends[0].probes[0].get_all("host") == [wanted]
    refuse_all(site, site.code("8902", "9899"), "domain_name", "-a.test", ".a", "a_b", "a b",
               "a" * 101)


def test_table_3_6_port(site):
    """Each member's own port by default."""
    other = site.backend()
    own, given = watched(site), watched(site, monitor_port=other.port)
    assert (own.monitor["monitor_port"], given.monitor["monitor_port"]) == (None, other.port)
    becomes(own, ONLINE), becomes(given, ONLINE)
    assert own.backends[0].probes and other.probes and not given.backends[0].connections
    for port in (1, 65535):
        nobody = watched(site, monitor_port=port)
        wait_until(lambda: reason(nobody) == "CONNECT_REFUSED", 5, f"port {port} is refused")
    refuse_all(site, site.code("8902", "9899"), "monitor_port", 0, 65536, -1)


def test_table_3_6_check_path(site):
    """`/` by default; one to 80 of the characters of the table."""
    paths = [..., "/", "/index.html", "/chat/try/", SPECIAL, "/" + "p" * 79]
    services = [watched(site, url_path=path) for path in paths]
    for path, service in zip(paths, services):
        member, wanted = service.backends[0], "/" if path is ... else path
        member.wait(lambda: member.probes, 5)
        assert (service.monitor["url_path"], member.probes[0].target) == (wanted, wanted)
    refuse_all(site, site.code("8902", "9899"), "url_path", "", "index.html", "/" + "p" * 80,
               "/a?b", "/a#b", "/a b", "/[a]", "/a\\b", "/a\"b", "/é")


def test_table_3_6_interval(site):
    """1 s: a probe each second; 50 s: one probe and no other meanwhile."""
    often, seldom = watched(site, delay=1), watched(site, delay=50)

    def each_second() -> None:
        member = often.backends[0]
        member.wait(lambda: len(member.probes) >= 4, 10)
        moments = [probe.at for probe in member.probes]
        for earlier, later in zip(moments, moments[1:]):
            # Seen by the backend's threads: the earlier of the two may have been seen late.
            assert abs(later - earlier - 1.0) <= LATE

    each_second()
    assert len(seldom.backends[0].probes) == 1 and status(seldom) == ONLINE
    pool = site.pool()
    for delay in (0, 51):
        site.refuse_monitor(pool, site.code("8902", "7001"), delay=delay)
    site.refuse_monitor(pool, site.code("8902", "9805"), delay=...)


def test_table_3_6_timeout(site):
    """1 s: a probe without an answer fails after it; 50 s: it is still being waited for."""
    short = watched(site, modes.hang(), timeout=1, delay=50)
    long = watched(site, modes.hang(), timeout=50, delay=1)

    def fails() -> None:
        member = short.backends[0]
        member.wait(lambda: member.probes, 5)
        begun = member.probes[0].at
        wait_until(lambda: reason(short), 5, "a failed probe")
        assert reason(short) == "RECV_RESPONSE_TIMEOUT"
        # The time counts from connect, which is a moment before the request is read.
        assert 0.9 <= now() - begun <= 1.0 + 2 * LATE

    fails()
    assert reason(long) is None and len(long.backends[0].probes) == 1
    pool = site.pool()
    for timeout in (0, 51):
        site.refuse_monitor(pool, site.code("8902", "9899"), timeout=timeout)
    site.refuse_monitor(pool, site.code("8902", "9805"), timeout=...)


def probes_until_offline(service) -> int:
    """How many failed probes it takes to get an ONLINE member OFFLINE."""
    member = service.backends[0]
    becomes(service, ONLINE)
    member.clear()
    member.probe_mode = modes.status(500)
    becomes(service, OFFLINE, 20)
    return sum(1 for _ in member.probes)


def probes_until_online(service) -> int:
    """How many good probes it takes to get an OFFLINE member ONLINE."""
    member = service.backends[0]
    member.clear()
    member.probe_mode = modes.ok()
    becomes(service, ONLINE, 20)
    return sum(1 for _ in member.probes)


@pytest.mark.slow
def test_table_3_6_maximum_retries(site):
    """1, the default of 3 and 10 in both directions. The status is asked for a moment after the
    deciding probe, so that one more may have been seen."""
    given = {"lowest": 1, "default": ..., "highest": 10}
    services = {name: watched(site, max_retries=3 if value is ... else value,
                              max_retries_down=value) for name, value in given.items()}
    assert services["default"].monitor["max_retries_down"] == 3

    def both(service, count: int) -> None:
        assert count <= probes_until_offline(service) <= count + 1
        assert count <= probes_until_online(service) <= count + 1

    concurrently(lambda: both(services["lowest"], 1), lambda: both(services["default"], 3),
                 lambda: both(services["highest"], 10))
    pool = site.pool()
    for field in ("max_retries", "max_retries_down"):
        for value in (0, 11):
            site.refuse_monitor(pool, site.code("8902", "9899"), **{field: value})
    site.refuse_monitor(pool, site.code("8902", "9805"), max_retries=...)
