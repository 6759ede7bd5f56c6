"""kill -9 at random moments: what was acknowledged is there, nothing is half-way."""

from __future__ import annotations

import random
import sqlite3
import threading

import pytest
import requests

from rig.timing import FULL, now, wait_until

WRITES = 1000 if FULL else 120
KILLS = 40 if FULL else 6


class Writer:
    """Writes until the daemon goes away; remembers what was acknowledged and what was not."""

    def __init__(self, api, lb: dict):
        self.api, self.lb = api, lb
        self.acknowledged: dict[str, dict] = {}
        self.deleted: set[str] = set()
        self.unknown: dict[str, dict | None] = {}  #: Sent, never answered.
        self.count = 0

    def run(self, budget: int) -> None:
        for _ in range(budget):
            try:
                self._write()
            except requests.RequestException:
                return
            self.count += 1

    def _write(self) -> None:
        choice = self.count % 4
        if choice < 2 or not self.acknowledged:
            self._create()
        elif choice == 2:
            self._update()
        else:
            self._delete()

    def _create(self) -> None:
        name = f"w{self.count}-{random.randrange(10**9)}"
        self.unknown = {name: None}
        made = self.api.make_pool(self.lb["id"], name=name, description="d" * 200)
        self.acknowledged[made["id"]] = made
        self.unknown = {}

    def _update(self) -> None:
        id = random.choice(list(self.acknowledged))
        self.unknown = {id: self.acknowledged[id]}
        changed = self.api.update("pool", id, description=f"u{self.count}")
        self.acknowledged[id] = changed
        self.unknown = {}

    def _delete(self) -> None:
        id = random.choice(list(self.acknowledged))
        self.unknown = {id: self.acknowledged[id]}
        self.api.delete("pool", id)
        del self.acknowledged[id]
        self.deleted.add(id)
        self.unknown = {}


def check(api, writer: Writer) -> None:
    """Every acknowledged write is there; the unanswered one is there whole or not at all."""
    stored = {pool["id"]: pool for pool in api.list("pool")}
    for id, pool in list(writer.acknowledged.items()):
        if id in writer.unknown:
            settle(writer, id, stored.get(id))
            continue
        assert stored.get(id) == pool
    assert not writer.deleted & set(stored)
    for id in set(stored) - set(writer.acknowledged):
        assert stored[id]["name"] in writer.unknown, "nobody asked for this pool"
        assert stored[id]["description"] == "d" * 200
    for id in list(stored):
        if id not in writer.acknowledged:
            api.delete("pool", id)
            writer.deleted.add(id)
    lb = api.show("loadbalancer", writer.lb["id"])
    assert {pool["id"] for pool in lb["pools"]} == set(writer.acknowledged)


def settle(writer: Writer, id: str, found: dict | None) -> None:
    before = writer.acknowledged[id]
    if found is None:  # The unanswered call was a delete, and it happened.
        del writer.acknowledged[id]
        writer.deleted.add(id)
        return
    assert found["name"] == before["name"]
    assert found["description"] in (before["description"], f"u{writer.count}")
    writer.acknowledged[id] = found


@pytest.mark.slow
def test_kill_at_random_moments(own_daemon):
    running = own_daemon(release=True)
    api = running.api()
    writer = Writer(api, api.make_lb())
    per_round, seed = WRITES // KILLS, random.randrange(1 << 30)
    random.seed(seed)
    print(f"seed {seed}")
    for _ in range(KILLS):
        writing = threading.Thread(target=writer.run, args=(10**6,), daemon=True)
        target = writer.count + random.randrange(per_round // 2, per_round * 3 // 2)
        writing.start()
        wait_until(lambda: writer.count >= target, 60, "the writes of a round")
        deadline = now() + random.random() * 0.02
        while now() < deadline:
            pass
        running.kill()
        writing.join()
        running.start()
        api.origin = running.origin
        check(api, writer)
        writer.unknown = {}
    assert writer.count >= WRITES // 2


def test_the_data_plane_comes_back_with_its_state(own_daemon, backend):
    running = own_daemon()
    api = running.api()
    service = api.make_service(api.make_lb(), [backend()])
    assert service.get().status == 200
    running.kill()
    running.start()
    assert service.get().status == 200
    running.restart()
    assert service.get().status == 200


def test_the_store_is_in_its_safe_modes(own_daemon):
    running = own_daemon()
    api = running.api()
    api.make_lb()
    databases = [path for path in running.data.iterdir()
                 if path.is_file() and path.read_bytes()[:15] == b"SQLite format 3"]  # fmt: skip
    assert len(databases) == 1
    with sqlite3.connect(f"file:{databases[0]}?mode=ro", uri=True) as database:
        assert database.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert database.execute("PRAGMA user_version").fetchone()[0] >= 1
        assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_two_daemons_do_not_share_a_directory(own_daemon):
    """The second one refuses to start."""
    import subprocess

    running = own_daemon()
    command = [running.path, "serve", "--data-dir", running.data]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30,
                          env=running.environment())  # fmt: skip
    assert done.returncode != 0
    assert running.get("/readyz").status_code == 200
