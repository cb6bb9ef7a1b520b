"""An experiment that does not end is given up, and one that waits for a CPU is not."""

from __future__ import annotations

import queue
from types import SimpleNamespace

import pytest

from eager_vs_graph.child.explain import watchdog


@pytest.fixture
def ended(monkeypatch):
    """What the watchdog does in place of ending this process."""
    codes: queue.Queue[int] = queue.Queue()
    monkeypatch.setattr(watchdog.os, "_exit", codes.put)
    return codes


def test_what_does_not_end_is_given_up(ended):
    told: list[float] = []
    watchdog.Watchdog(told.append).begin(least_s=0.2)
    assert ended.get(timeout=600) == 75
    assert told == [0.2]


def test_time_without_a_cpu_does_not_count(ended, monkeypatch):
    looks: list[float] = []

    def waited(_pid):
        looks.append(0.2 * len(looks))  # between two looks it always waited, until the last
        return {"thread": min(looks[-1], 0.4)}

    clock = SimpleNamespace(monotonic=lambda: looks[-1] if looks else 0.0)
    monkeypatch.setattr(watchdog, "waits_of_threads", waited)
    monkeypatch.setattr(watchdog, "time", clock)
    told: list[float] = []
    watchdog.Watchdog(told.append).begin(least_s=0.2)
    assert ended.get(timeout=600) == 75
    assert len(looks) == 4
    assert told == [0.2]


def test_what_ended_is_not_given_up(ended):
    told: list[float] = []
    dog = watchdog.Watchdog(told.append)
    dog.begin(least_s=0.2)
    dog.rest()
    dog.begin(least_s=0.3)
    assert ended.get(timeout=600) == 75
    assert told == [0.3]
