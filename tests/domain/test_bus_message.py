from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ci_results.domain.bus_message import ListenerState, by_bus

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def state(listener: str, ago_s: float = 1, **more: Any) -> ListenerState:
    return ListenerState(name="umb", listener=listener, told_at=NOON - timedelta(seconds=ago_s), **more)


def test_those_who_listen_to_one_bus_are_added_up() -> None:
    both = [state("b:1", received=3, stored=2, backlog=7, lag_s=0.5), state("a:1", received=4, backlog=9)]
    (told,) = by_bus(both, NOON)
    assert (told.received, told.stored, told.backlog, told.lag_s) == (7, 2, 9, 0.5)
    assert (told.listeners, told.listener, told.state) == (2, "a:1, b:1", "listening")


def test_who_stopped_or_is_silent_counts_no_more() -> None:
    gone = [
        state("a:1", 600, received=9),
        state("b:1", 2, state="stopped", received=5),
        state("c:1", received=1),
    ]
    (told,) = by_bus(gone, NOON)
    assert (told.listener, told.received) == ("c:1", 1)


def test_of_a_bus_that_nobody_listens_to_the_last_word_is_told() -> None:
    (told,) = by_bus([state("a:1", 600, received=9), state("b:1", 700, received=5)], NOON)
    assert (told.listener, told.received) == ("a:1", 9)
    assert by_bus([], NOON) == []


def test_a_fault_of_one_is_told_though_the_other_listens() -> None:
    both = [state("a:1"), state("b:1", state="away", error="no broker answers there")]
    (told,) = by_bus(both, NOON)
    assert (told.state, told.error) == ("listening", "no broker answers there")


def test_each_bus_has_its_own_state() -> None:
    other = ListenerState(name="fedora", told_at=NOON)
    assert [each.name for each in by_bus([state("a:1"), other, state("b:1")], NOON)] == ["fedora", "umb"]
