"""Running several slow things of one test at the same time."""

from __future__ import annotations

import threading
from typing import Callable, Iterable


def concurrently(*actions: Callable[[], object]) -> list:
    """Runs all actions in threads; returns their results in order, or raises the first failure
    after all have ended."""
    results: list = [None] * len(actions)
    failures: list[BaseException] = []

    def run(index: int, action: Callable[[], object]) -> None:
        try:
            results[index] = action()
        except BaseException as failure:  # Handed to the caller's thread.
            failures.append(failure)

    threads = [
        threading.Thread(target=run, args=(index, action), daemon=True)
        for index, action in enumerate(actions)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return results


def spread(work: Iterable, threads: int, action: Callable[[object], object]) -> list:
    """Calls `action` for each item of `work` on so many threads; results in no order."""
    items, lock, results = iter(list(work)), threading.Lock(), []

    def worker() -> None:
        while True:
            with lock:
                try:
                    item = next(items)
                except StopIteration:
                    return
            result = action(item)
            with lock:
                results.append(result)

    concurrently(*[worker] * threads)
    return results
