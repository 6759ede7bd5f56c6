"""Runs the real daemon in a directory of its own."""

from __future__ import annotations

import ctypes
import fcntl
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import requests

from rig.api import Api
from rig.observe import AccessLog, Metrics
from rig.timing import wait_until

REPOSITORY = Path(__file__).resolve().parents[2]
START_TIMEOUT = 60.0
STOP_TIMEOUT = 30.0
_SANITIZER_REPORT = re.compile(
    r"ERROR: (Address|Leak|Thread|Memory)Sanitizer|WARNING: ThreadSanitizer|runtime error:"
)


def binary() -> Path:
    """The daemon under test: `ELBD`, else that of the dev build."""
    return Path(os.environ.get("ELBD") or REPOSITORY / "build/dev/src/daemon/elbd")


def release_binary() -> Path:
    """For tests that measure memory or speed: `ELBD_RELEASE`, else the release build if there is
    one, else the daemon under test."""
    given = os.environ.get("ELBD_RELEASE")
    built = Path(given) if given else REPOSITORY / "build/release/src/daemon/elbd"
    return built if built.exists() else binary()


def _die_with_parent() -> None:
    """Runs in the child: a test run that is killed leaves no daemon behind."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def is_sanitized(path: Path) -> bool:
    return b"__asan_init" in path.read_bytes() or b"__tsan_init" in path.read_bytes()


def _is_used(second: int) -> bool:
    """Whether somebody listens on 127.`second`.x.x, as the kernel lists it."""
    listening, ours = "0A", f"{second:02X}7F"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(row[3] == listening and row[1][4:8] == ours for row in rows)


class Subnet:
    """A /16 of the loopback network that no other daemon on this machine uses meanwhile."""

    def __init__(self) -> None:
        directory = Path(tempfile.gettempdir()) / "elb-test-subnets"
        directory.mkdir(exist_ok=True)
        for second in range(64, 192):
            self._lock = open(directory / str(second), "w")
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self._lock.close()
                continue
            if _is_used(second):  # By a daemon that outlived its test run.
                self._lock.close()
                continue
            self.second = second
            return
        raise RuntimeError("no free loopback subnet")

    @property
    def cidr(self) -> str:
        return f"127.{self.second}.0.0/16"

    def fileno(self) -> int:
        """The lock. A daemon inherits it, so that one which outlives its test keeps the subnet."""
        return self._lock.fileno()

    def release(self) -> None:
        self._lock.close()


class Daemon:
    """One data directory and the process that serves it. Stop it at the end."""

    def __init__(self, *, path: Path | None = None, config: dict[str, Any] | None = None,
                 workers: int = 2):
        self.path = path or binary()
        self.directory = Path(tempfile.mkdtemp(prefix="elbd-"))
        self.data = self.directory / "data"
        self.log_path = self.directory / "elbd.log"
        self.access_log = AccessLog(self.directory / "access.log")
        self.subnet = Subnet()
        self.workers = workers
        self.config = config or {}
        self.admin, self.password = "admin", secrets.token_urlsafe(24)
        self.process: subprocess.Popen | None = None
        self._log = None

    @property
    def sanitized(self) -> bool:
        return is_sanitized(self.path)

    # --- configuration --------------------------------------------------------------------------

    def config_text(self) -> str:
        """The node configuration as YAML (JSON is a subset of it)."""
        import json

        config: dict[str, Any] = {
            "api": {"address": "127.0.0.1", "port": 0},
            "workers": self.workers,
            "access_log": {"file": str(self.access_log.path)},
            "subnets": [{"name": "rig", "cidr": self.subnet.cidr}],
            "quotas": {"loadbalancer": -1, "listener": -1, "certificate": -1, "pool": -1,
                       "member": -1},
        }
        for key, value in self.config.items():
            if value is None:
                config.pop(key, None)
            else:
                config[key] = value
        return json.dumps(config, indent=1)

    def environment(self) -> dict[str, str]:
        options = ("abort_on_error=0:exitcode=99:detect_leaks=1:halt_on_error=1:"
                   "quarantine_size_mb=16")
        return {
            **os.environ,
            "ASAN_OPTIONS": options,
            "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
            "TSAN_OPTIONS": "exitcode=99:halt_on_error=0",
        }

    # --- life -----------------------------------------------------------------------------------

    def init(self) -> "Daemon":
        self.data.mkdir(mode=0o700, exist_ok=True)
        secret = self.directory / "password"
        secret.touch(mode=0o600)
        secret.write_text(self.password + "\n")
        command = [self.path, "init", "--admin", self.admin, "--data-dir", self.data,
                   "--password-file", secret]
        done = subprocess.run(command, capture_output=True, text=True, env=self.environment(),
                              timeout=START_TIMEOUT)
        assert done.returncode == 0, f"elbd init: {done.returncode}\n{done.stdout}{done.stderr}"
        return self

    def start(self) -> "Daemon":
        (self.directory / "elbd.yaml").write_text(self.config_text())
        (self.data / "api.port").unlink(missing_ok=True)
        self._log = open(self.log_path, "ab")
        self.process = self._spawn()
        try:
            wait_until(self._ready, START_TIMEOUT, "elbd ready")
        except AssertionError as failure:
            raise AssertionError(f"{failure}\n{self.log_tail()}") from None
        return self

    def _spawn(self, *more: str) -> subprocess.Popen:
        command = [self.path, "serve", "--data-dir", self.data, "--config",
                   self.directory / "elbd.yaml", *more]
        return subprocess.Popen(command, stdout=self._log, stderr=self._log,
                                stdin=subprocess.DEVNULL, env=self.environment(),
                                preexec_fn=_die_with_parent, pass_fds=[self.subnet.fileno()])

    def start_successor(self) -> subprocess.Popen:
        """A process that takes over, or fails to. Configured by `config` as it is now."""
        (self.directory / "elbd.yaml").write_text(self.config_text())
        return self._spawn("--take-over")

    def take_over(self) -> subprocess.Popen:
        """Puts a new process in the place of the one that serves. Returns that one, on its way out."""
        before = self.served
        old, self.process = self.process, self.start_successor()
        wait_until(lambda: self.served > before or self.process.poll() is not None, START_TIMEOUT,
                   "the successor serves")
        assert self.process.poll() is None, self.log_tail()
        return old

    @property
    def served(self) -> int:
        """How often a process came to serve."""
        return len(re.findall(r"\bserving\b", self.log_text))

    def _ready(self) -> bool:
        assert self.process.poll() is None, f"elbd ended with {self.process.returncode}"
        try:
            return self.get("/readyz").status_code == 200
        except (OSError, ValueError, requests.RequestException):
            return False

    def stop(self) -> None:
        """SIGTERM, and the checks that a clean end deserves."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"elbd did not stop\n{self.log_tail()}") from None
        self._close_log()
        self.check()

    def kill(self) -> None:
        """SIGKILL, as a power cut for the process."""
        self.process.kill()
        self.process.wait()
        self._close_log()

    def restart(self) -> "Daemon":
        if self.process and self.process.poll() is None:
            self.stop()
        return self.start()

    def _close_log(self) -> None:
        if self._log:
            self._log.close()
            self._log = None

    def destroy(self) -> None:
        """Stops and removes everything; the directory stays when a check failed."""
        try:
            self.stop()
        except AssertionError:
            print(f"kept for inspection: {self.directory}")
            raise
        finally:
            self.subnet.release()
        if os.environ.get("ELB_KEEP") != "1":
            shutil.rmtree(self.directory, ignore_errors=True)

    # --- checks and views -----------------------------------------------------------------------

    @property
    def log_text(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log_tail(self, lines: int = 60) -> str:
        return "\n".join(self.log_text.splitlines()[-lines:])

    def check(self) -> None:
        """Fails on a sanitizer report or an end other than by our signals."""
        found = _SANITIZER_REPORT.search(self.log_text)
        assert not found, f"sanitizer report\n{self.log_text[max(0, found.start() - 200):][:6000]}"
        code = self.process.poll() if self.process else None
        assert code in (None, 0, -signal.SIGKILL), f"elbd ended with {code}\n{self.log_tail()}"

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def api_port(self) -> int:
        return int((self.data / "api.port").read_text())

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    def get(self, path: str, **more) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(self.origin + path, timeout=10, **more)

    def metrics(self) -> Metrics:
        reply = self.get("/metrics")
        assert reply.status_code == 200
        return Metrics(reply.text)

    def api(self, project: str = "eu-de") -> Api:
        """A client that is signed in."""
        return Api(self.origin, self.admin, self.password, project).login()
