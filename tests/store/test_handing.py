"""Workers that hand what they write to one writer keep the contract of all stores."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future, wait
from contextlib import closing
from pathlib import Path

import pytest

from ci_results.domain.page import Page
from ci_results.errors import OverloadedError, StaleError, StoreError
from ci_results.store import handing
from ci_results.store.handing import HandingStore
from ci_results.store.lines import Line
from ci_results.store.sqlite import SqliteStore
from ci_results.store.taking import take_from_all
from ci_results.testing.store_contract import StoreContract, result
from ci_results.testing.waiver_contract import WaiverContract


class Writer:
    """The process that writes, here a thread; `end` is what its parent does."""

    def __init__(self, folder: Path) -> None:
        self.store = SqliteStore.open(folder / "results.db")
        self.address = folder / "door"
        self.address.unlink(missing_ok=True)
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._door.bind(str(self.address))
        self._door.listen()
        self._reading, self._lifeline = os.pipe()
        self._thread = threading.Thread(target=take_from_all, args=(self.store, self._door, self._reading, 5))
        self._thread.start()

    def end(self) -> None:
        os.close(self._lifeline)
        self._thread.join()
        self.store.close()
        self._door.close()
        os.close(self._reading)


class Worker(HandingStore):
    """A worker whose writer ends with it."""

    def __init__(self, folder: Path) -> None:
        self.writer = Writer(folder)
        super().__init__(folder / "results.db", self.writer.address)

    def close(self) -> None:
        super().close()
        self.writer.end()


class TestHanding(StoreContract):
    def open_store(self, folder: Path) -> HandingStore:
        return Worker(folder)


class TestHandingWaivers(WaiverContract):
    def open_store(self, folder: Path) -> HandingStore:
        found = Worker(folder)
        found.outbox = found.writer.store.outbox  # of the process that delivers
        return found


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    found = Writer(tmp_path)
    yield found
    found.end()


def worker(writer: Writer) -> HandingStore:
    return HandingStore(writer.store.path, writer.address)


def page(key: str) -> Page:
    return Page(source="ci", results=[result(key)])


def test_pages_of_many_workers_are_stored_once_each(writer: Writer) -> None:
    workers = [worker(writer) for _ in range(3)]
    futures = [workers[n % 3].submit(page(f"k{n}")) for n in range(300)]
    ids = [future.result(20)[0] for future in futures]
    assert len(set(ids)) == 300
    assert all(workers[0].result(number).key == f"k{n}" for n, number in enumerate(ids))
    for one in workers:
        one.close()
    assert writer.store.counts()["results"] == 300


def test_an_error_of_the_writer_reaches_the_worker_as_it_is(writer: Writer) -> None:
    old = Page(source="ci", results=[result()], read_from="a cursor that never was", cursor="b")
    with closing(worker(writer)) as store:
        with pytest.raises(StaleError, match="cursor"):
            store.commit_page(old)
        assert store.submit(page("good")).result(20)


def test_a_worker_that_goes_leaves_what_it_handed_over(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    store = worker(writer)
    first = store.submit(page("k0"))
    for number in range(1, 50):
        store.submit(page(f"k{number}"))
    first.result(20)
    store.close()
    writer.end()
    with SqliteStore.open(writer.store.path) as found:
        assert found.counts()["results"] == 50


def test_a_writer_that_dies_fails_every_call_at_once(tmp_path: Path) -> None:
    address = tmp_path / "door"
    SqliteStore.open(tmp_path / "results.db").close()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        door.bind(str(address))
        door.listen()
        store = HandingStore(tmp_path / "results.db", address)
        end, _ = door.accept()
        waiting = store.submit(page("k1"))
        end.close()
        with pytest.raises(StoreError, match="has ended"):
            waiting.result(20)
        with pytest.raises(StoreError, match="has ended"):
            store.submit(page("k2"))
        with pytest.raises(StoreError, match="has ended"):
            store.commit_page(page("k3"))
        assert store.counts()["results"] == 0
        store.close()


def test_a_writer_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    SqliteStore.open(tmp_path / "results.db").close()
    with pytest.raises(StoreError, match="has ended"):
        HandingStore(tmp_path / "results.db", tmp_path / "door")


def submitted_until_refused(store: HandingStore) -> list[Future[tuple[int, ...]]]:
    accepted: list[Future[tuple[int, ...]]] = []
    for number in range(1000):
        try:
            accepted.append(store.submit(page(f"k{number}")))
        except OverloadedError:
            break
    return accepted


def test_too_much_that_waits_is_refused(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handing, "WAITING", 3)
    with closing(worker(writer)) as store:
        accepted = submitted_until_refused(store)
        assert 3 <= len(accepted) < 1000
        wait(accepted, 20)
        assert store.submit(page("later")).result(20)


def test_only_what_a_worker_may_hand_over_is_done(writer: Writer) -> None:
    end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    end.connect(str(writer.address))
    line = Line(end)
    line.put((7, "close", ()))
    number, answer, error = next(iter(line))
    line.close()
    assert (number, answer) == (7, None)
    assert isinstance(error, StoreError)
    assert writer.store.counts()["results"] == 0


def test_a_worker_delivers_nothing(writer: Writer) -> None:
    with closing(worker(writer)) as store, pytest.raises(StoreError, match="ci-results deliver"):
        store.outbox.begin("a")


def test_messages_of_any_size_come_whole_and_in_order() -> None:
    one, other = (Line(end) for end in socket.socketpair())
    sent = [os.urandom(size) for size in (0, 1, 5_000_000, 3)] * 3
    for message in sent:
        one.put(message)
    received = [message for _, message in zip(sent, other, strict=False)]
    assert received == sent
    one.close()
    assert list(other) == []
    other.close()
