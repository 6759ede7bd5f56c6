"""Fixtures that every outside-in test can use."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from rig import certs  # noqa: E402
from rig.backend import Backend  # noqa: E402
from rig.daemon import Daemon, binary, release_binary  # noqa: E402


def pytest_report_header() -> str:
    return f"daemon under test: {binary()}"


@pytest.fixture(scope="session")
def daemon():
    """One daemon for all tests that do not need their own."""
    running = Daemon().init()
    try:
        running.start()
        yield running
    finally:
        running.destroy()


@pytest.fixture(scope="module")
def own_daemon():
    """Makes daemons with a configuration of their own: `own_daemon(config={...}, workers=1)`."""
    with contextlib.ExitStack() as stack:

        def make(*, release: bool = False, **options) -> Daemon:
            path = release_binary() if release else None
            made = Daemon(path=path, **options)
            stack.callback(made.destroy)
            return made.init().start()

        yield make


@pytest.fixture(scope="session")
def api(daemon):
    return daemon.api()


@pytest.fixture(scope="session")
def ca():
    return certs.Authority()


@pytest.fixture(scope="session")
def server_certificates(ca):
    """A server certificate of each key type for `a.test`, issued by `ca`."""
    return {kind: ca.issue("a.test", "*.a.test", key=kind) for kind in ("rsa", "ec")}


@pytest.fixture(scope="session")
def certificate(api, server_certificates):
    """The EC certificate for `a.test`, uploaded."""
    return api.make_certificate(server_certificates["ec"])


@pytest.fixture
def lb(api):
    """A load balancer of this test alone."""
    made = api.make_lb()
    yield made
    api.drop_lb(made["id"])


@pytest.fixture
def group(api):
    """Makes groups of addresses, which go with the test: a project has 50."""
    made = []

    def make(*addresses: str) -> str:
        made.append(api.create("ipgroup", ip_list=[{"ip": each} for each in addresses])["id"])
        return made[-1]

    yield make
    for each in made:
        api.try_delete("ipgroup", each)


@pytest.fixture(scope="module")
def module_lb(api):
    """A load balancer that the tests of one file share."""
    made = api.make_lb()
    yield made
    api.drop_lb(made["id"])


@pytest.fixture
def backend():
    """Makes scripted members that stop with the test: `backend()`, `backend("E2", mode=…)`."""
    with contextlib.ExitStack() as stack:
        count = iter(range(1, 1000))

        def make(name: str | None = None, **options) -> Backend:
            return stack.enter_context(Backend(name or f"E{next(count)}", **options))

        yield make


@pytest.fixture(scope="module")
def module_backend():
    """As `backend`, for the whole file."""
    with contextlib.ExitStack() as stack:
        count = iter(range(1, 1000))

        def make(name: str | None = None, **options) -> Backend:
            return stack.enter_context(Backend(name or f"M{next(count)}", **options))

        yield make
