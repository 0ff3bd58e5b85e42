"""What is kept of answers from outside."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from ci_results.operations.gating.kept import Kept


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_answer_holds_for_its_time_and_is_then_given_to_who_asks_again() -> None:
    clock = Clock()
    kept: Kept[str, int] = Kept(10, clock=clock)
    before: list[int | None] = []

    def ask(old: int | None) -> tuple[int, float]:
        before.append(old)
        return len(before), 5

    assert [kept.get("a", ask), kept.get("a", ask), kept.get("b", ask)] == [1, 1, 2]
    clock.now = 5
    assert kept.get("a", ask) == 3
    assert before == [None, None, 1]


def test_what_was_not_asked_for_longest_goes_first_and_what_is_too_much_is_not_kept() -> None:
    kept: Kept[str, str] = Kept(10, len)
    for key, value in (("a", "xxxx"), ("b", "xxxx"), ("a", "?"), ("c", "xxxx")):
        kept.get(key, lambda _, value=value: (value, 60))  # type: ignore[misc]
    assert len(kept) == 2
    assert kept.get("a", lambda _: ("new", 60)) == "xxxx"
    assert kept.get("b", lambda _: ("new", 60)) == "new"
    assert kept.get("d", lambda _: ("x" * 11, 60)) == "x" * 11
    assert kept.get("a", lambda _: ("new", 60)) == "xxxx"
    assert len(kept) == 2


def test_who_asks_at_once_waits_for_one_answer_or_for_one_fault() -> None:
    kept: Kept[str, int] = Kept(10)
    go, asked = Event(), []

    def slow(_: int | None) -> tuple[int, float]:
        asked.append(1)
        go.wait(5)
        return 7, 60

    def broken(_: int | None) -> tuple[int, float]:
        asked.append(2)
        go.wait(5)
        raise ZeroDivisionError

    with ThreadPoolExecutor(8) as pool:
        good = [pool.submit(kept.get, "a", slow) for _ in range(4)]
        bad = [pool.submit(kept.get, "b", broken) for _ in range(4)]
        while len(asked) < 2:
            pass
        go.set()
        assert [each.result() for each in good] == [7] * 4
        for each in bad:
            with pytest.raises(ZeroDivisionError):
                each.result()
    assert asked.count(1) == 1
    assert kept.get("b", lambda _: (8, 60)) == 8
