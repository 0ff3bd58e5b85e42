"""Pages that wait are written together; no server is needed to see how."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Event

import pytest

from ci_results.domain.page import Committed, Page
from ci_results.errors import InvalidError, OverloadedError, StoreError
from ci_results.store import postgres_queue as module
from ci_results.store.postgres_queue import PageQueue
from ci_results.testing.store_contract import result


class Writes:
    """Stands for the store: waits until it may go on, numbers results, refuses what it is told to."""

    def __init__(self) -> None:
        self.may = Event()
        self.entered = Event()
        self.seen: list[Sequence[Page]] = []
        self.problems: dict[str, Exception] = {}
        self.last = 0

    def __call__(self, pages: Sequence[Page]) -> list[Committed]:
        self.entered.set()
        self.may.wait(10)
        self.seen.append(pages)
        for page in pages:
            for one in page.results:
                if one.key in self.problems:
                    raise self.problems[one.key]
        return [self._committed(page) for page in pages]

    def _committed(self, page: Page) -> Committed:
        first, self.last = self.last + 1, self.last + len(page.results)
        return Committed(ids=tuple(range(first, self.last + 1)))


@pytest.fixture
def writes() -> Writes:
    return Writes()


@pytest.fixture
def queue(writes: Writes) -> Iterator[PageQueue]:
    queue = PageQueue(writes)
    yield queue
    writes.may.set()
    queue.close()


def page(*keys: str, source: str = "ci") -> Page:
    return Page(source=source, results=[result(key, source=source) for key in keys])


def test_what_waits_is_one_page_of_each_source_and_its_ids_go_back_in_order(
    queue: PageQueue, writes: Writes
) -> None:
    first = queue.submit(page("first"))
    writes.entered.wait(10)
    waiting = [queue.submit(page(*keys)) for keys in ("ab", "c", "")] + [queue.submit(page("d", source="s2"))]
    writes.may.set()
    assert first.result(10) == (1,)
    assert [answer.result(10) for answer in waiting] == [(2, 3), (4,), (), (5,)]
    assert [[len(one.results) for one in pages] for pages in writes.seen] == [[1], [3, 1]]


def test_more_than_may_wait_is_refused(writes: Writes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING", 3)
    queue = PageQueue(writes)
    answers = [queue.submit(page("first"))]
    writes.entered.wait(10)
    answers += [queue.submit(page(f"k{n}")) for n in range(3)]
    with pytest.raises(OverloadedError, match="3 submissions wait"):
        queue.submit(page("more"))
    assert queue.waiting == 3
    writes.may.set()
    queue.close()
    assert [answer.result(0) for answer in answers] == [(1,), (2,), (3,), (4,)]


def test_the_page_that_breaks_a_rule_is_told_and_the_others_are_written(
    queue: PageQueue, writes: Writes
) -> None:
    writes.problems["bad"] = InvalidError("no")
    queue.submit(page("first"))
    writes.entered.wait(10)
    good, bad, other = (queue.submit(page(key)) for key in ("good", "bad", "other"))
    writes.may.set()
    assert (good.result(10), other.result(10)) == ((2,), (3,))
    with pytest.raises(InvalidError, match="no"):
        bad.result(10)


def test_a_store_that_fails_is_told_to_all_at_once_and_asked_again_by_the_next(
    queue: PageQueue, writes: Writes
) -> None:
    writes.problems["k1"] = StoreError("away")
    queue.submit(page("first"))
    writes.entered.wait(10)
    answers = [queue.submit(page(f"k{n}")) for n in range(3)]
    writes.may.set()
    for answer in answers:
        with pytest.raises(StoreError, match="away"):
            answer.result(10)
    assert len(writes.seen) == 2
    assert queue.submit(page("later")).result(10) == (2,)


def test_a_page_that_nobody_waits_for_is_left_out(queue: PageQueue, writes: Writes) -> None:
    queue.submit(page("first"))
    writes.entered.wait(10)
    given_up, other = queue.submit(page("given up")), queue.submit(page("other"))
    assert given_up.cancel()
    writes.may.set()
    assert other.result(10) == (2,)
