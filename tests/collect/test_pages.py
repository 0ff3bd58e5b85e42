from __future__ import annotations

from collections.abc import Iterator

import pytest

from ci_results.collect.pages import Draft, cut
from ci_results.domain.checkpoint import Checkpoint
from ci_results.domain.garbled import Garbled
from ci_results.domain.job import Job
from ci_results.domain.observation import Observation
from ci_results.errors import PluginError, SourceUnavailableError


def see(key: str, note: str | None = None) -> Observation:
    return Observation(key=key, testcase="a.b", outcome="ok", item="x", item_type="plain", note=note)


BAD = Garbled(raw=b"?", reason="odd")


def shape(drafts: Iterator[Draft]) -> list[tuple[str, int, str | None]]:
    return [("".join(seen.key for seen in draft.seen), len(draft.garbled), draft.cursor) for draft in drafts]


def test_a_page_ends_at_a_checkpoint() -> None:
    things = [see("1"), BAD, Checkpoint("a"), see("2"), Checkpoint("b")]
    assert shape(cut(things)) == [("1", 1, "a"), ("2", 0, "b")]


def test_a_long_page_is_cut_before_its_checkpoint_and_the_cursor_waits() -> None:
    things = [*(see(str(n)) for n in range(5)), Checkpoint("a")]
    assert shape(cut(things, rows=2)) == [("01", 0, None), ("23", 0, None), ("4", 0, "a")]


def test_a_heavy_page_is_cut_by_its_text() -> None:
    things = [see(str(n), note="x" * 100) for n in range(4)]
    assert shape(cut(things, chars=200)) == [("01", 0, None), ("23", 0, None)]


def test_a_checkpoint_without_rows_still_moves_the_cursor() -> None:
    assert shape(cut([Checkpoint("a")])) == [("", 0, "a")]


def test_a_page_too_small_waits_for_the_next_checkpoint_with_its_jobs() -> None:
    first, second = Job(name="one", state="active"), Job(name="two", state="active")
    things = [
        see("1"),
        Checkpoint("a", (first,)),
        see("2"),
        Checkpoint("b", (second,)),
        see("3"),
        Checkpoint("c"),
    ]
    drafts = list(cut(things, enough=lambda rows: rows >= 2))
    assert shape(iter(drafts)) == [("12", 0, "b"), ("3", 0, "c")]
    assert [draft.jobs for draft in drafts] == [(first, second), ()]


def test_a_page_that_waits_is_not_lost_in_a_failure() -> None:
    def broken() -> Iterator[Observation | Checkpoint]:
        yield from (see("1"), Checkpoint("a"), see("2"))
        raise SourceUnavailableError("gone")

    drafts = cut(broken(), enough=lambda rows: False)
    assert shape(iter([next(drafts)])) == [("12", 0, "a")]
    with pytest.raises(SourceUnavailableError, match="gone"):
        next(drafts)


def test_rows_before_a_failure_come_first() -> None:
    def broken() -> Iterator[Observation]:
        yield see("1")
        raise SourceUnavailableError("gone")

    drafts = cut(broken())
    assert shape(iter([next(drafts)])) == [("1", 0, None)]
    with pytest.raises(SourceUnavailableError, match="gone"):
        next(drafts)


def test_anything_else_is_a_fault_of_the_plugin() -> None:
    with pytest.raises(PluginError, match="got 7"):
        list(cut([7]))


def test_cutting_is_lazy() -> None:
    taken: list[int] = []

    def endless() -> Iterator[Observation]:
        for number in range(1_000_000):
            taken.append(number)
            yield see(str(number))

    next(cut(endless(), rows=10))
    assert len(taken) == 10
