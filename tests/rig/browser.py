"""Chromium, headless, with a profile of its own that trusts a test authority."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
SECONDS_MAX = 120
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--disable-extensions", "--disable-dev-shm-usage",
)  # fmt: skip


class Browser:
    """One home directory with an NSS database; each page load is a process of its own."""

    def __init__(self, authority_pem: str, hosts: dict[str, str]):
        """`hosts`: names that stand for addresses, `{"a.test": "127.64.0.1"}`."""
        self.home = Path(tempfile.mkdtemp(prefix="browser-"))
        self.rules = ",".join(f"MAP {name} {address}" for name, address in hosts.items())
        self._trust(authority_pem)

    def _trust(self, pem: str) -> None:
        database = self.home / ".pki/nssdb"
        database.mkdir(parents=True)
        authority = self.home / "ca.pem"
        authority.write_text(pem)
        for command in (["-N", "--empty-password"],
                        ["-A", "-t", "C,,", "-n", "test", "-i", str(authority)]):  # fmt: skip
            subprocess.run(["certutil", "-d", f"sql:{database}", *command], check=True,
                           capture_output=True)  # fmt: skip

    def dom(self, url: str, budget_ms: int = 20_000) -> str:
        """The document after loading `url` and running its scripts (virtual time)."""
        profile = tempfile.mkdtemp(dir=self.home)
        command = [CHROMIUM, *_FLAGS, f"--user-data-dir={profile}",
                   f"--host-resolver-rules={self.rules}", f"--virtual-time-budget={budget_ms}",
                   "--dump-dom", url]  # fmt: skip
        environment = {**os.environ, "HOME": str(self.home)}
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX,
                              env=environment)  # fmt: skip
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    def close(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_exc) -> None:
        self.close()
