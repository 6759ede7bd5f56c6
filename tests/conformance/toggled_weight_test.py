"""Frequent weight changes in a large pool (data-plane.md 6.2)."""

from __future__ import annotations

from collections import Counter

import pytest

from rig.crowd import Crowd
from rig.parallel import concurrently

MEMBERS = 500
ROUNDS = 600  # Ten a second for 60 s, with 10 requests each; what counts is their ratio.
REQUESTS_PER_ROUND = 10


@pytest.mark.slow
def test_T6_1b_toggling_one_weight_disturbs_nobody(daemon, api, lb):
    """Of 500 members each other one gets 12 ± 2 of 6,000 requests, the toggled one 18 ± 3."""
    with Crowd(daemon.subnet.second) as crowd:
        service = api.make_service(lb, [])
        made = [api.create("member", service.pool["id"], **body) for body in crowd.members(MEMBERS)]
        toggled = made[MEMBERS // 2]
        answers: list[str] = []

        def ask() -> None:
            for _ in range(REQUESTS_PER_ROUND):
                answers.append(client.get().body.decode())

        def toggle(weight: int) -> None:
            api.update("member", toggled["id"], service.pool["id"], weight=weight)

        with service.client() as client:
            for turn in range(ROUNDS):
                concurrently(ask, lambda: toggle(2 - turn % 2))
    counts = Counter(answers)
    mine = counts.pop(toggled["address"])
    assert 15 <= mine <= 21, mine
    assert len(counts) == MEMBERS - 1
    assert min(counts.values()) >= 10, counts.most_common()[-5:]
    assert max(counts.values()) <= 14, counts.most_common(5)
