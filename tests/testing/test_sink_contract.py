"""SinkContract: a good sink passes; each faulty one is caught by its rule."""

from __future__ import annotations

import contextlib
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from ci_results import Happening, Sink, hookimpl
from ci_results.domain.result import Result
from ci_results.errors import SinkUnavailableError
from ci_results.testing import SinkContract

pytestmark = pytest.mark.demand("S-144")


@dataclass(frozen=True, kw_only=True)
class Options:
    url: str = "https://board.test"


class Board(Sink[Options]):
    """Posts each result to a board."""

    name = "board"
    options = Options

    def deliver(self, options: Options, batch: Sequence[Result]) -> None:
        for result in batch:
            try:
                requests.post(options.url, json={"key": result.key}, timeout=5)
            except requests.ConnectionError as err:
                raise SinkUnavailableError(f"{options.url}: {err}") from err


class Pile(Sink[Options]):
    """Keeps all it is given, `loses` results a batch."""

    name = "pile"
    options = Options

    def __init__(self, loses: int = 0) -> None:
        self.kept: list[Result] = []
        self.loses = loses

    def deliver(self, options: Options, batch: Sequence[Result]) -> None:
        self.kept.extend(batch[: len(batch) - self.loses])


def broken_rules(sink: Sink[Any], **attributes: Any) -> set[str]:
    plugin = types.ModuleType("faulty_sink")
    plugin.register_sinks = hookimpl(lambda: [sink])  # type: ignore[attr-defined]
    fields = {"sink": sink, "options": Options(), "plugin": plugin, **attributes}
    case = type("Case", (SinkContract,), fields)()
    broken = set()
    for name in (each for each in dir(case) if each.startswith("test_")):
        try:
            getattr(case, name)()
        except AssertionError:
            broken.add(name)
    return broken


def delivering(deliver: Callable[..., None]) -> Sink[Any]:
    made: Sink[Any] = type("Board", (Board,), {"deliver": deliver})()
    return made


def test_good_sinks_keep_every_rule() -> None:
    pile = Pile()
    assert broken_rules(Board()) == set()
    assert broken_rules(pile, received=lambda self: len(pile.kept)) == set()


def test_a_result_lost_on_the_way_is_caught() -> None:
    pile = Pile(loses=1)
    assert broken_rules(pile, received=lambda self: len(pile.kept)) == {"test_what_was_delivered_has_arrived"}


def test_an_outage_swallowed_is_caught() -> None:
    def deliver(self: Any, options: Options, batch: Sequence[Result]) -> None:
        with contextlib.suppress(SinkUnavailableError):
            Board.deliver(self, options, batch)

    assert broken_rules(delivering(deliver)) == {"test_an_outage_is_raised"}


def test_an_outage_in_the_clients_own_words_is_caught() -> None:
    def deliver(self: Any, options: Options, batch: Sequence[Result]) -> None:
        requests.post(options.url, timeout=5)

    assert broken_rules(delivering(deliver)) == {"test_an_outage_is_raised"}


def test_mutable_options_and_a_bad_name_are_caught() -> None:
    board = type("Board", (Board,), {"name": "a board", "options": dict})()
    assert broken_rules(board, options={}) >= {"test_the_name_is_plain", "test_options_cannot_change"}


def test_a_sink_that_cannot_be_told_what_it_takes_is_caught() -> None:
    class Told(Pile):
        takes = frozenset({"waiver", "decision"})

        def announce(self, options: Options, happenings: Sequence[Happening]) -> None:
            self.kept.clear()

    rule = {"test_what_it_takes_beside_results_it_can_be_told"}
    assert broken_rules(Told()) == set()
    assert broken_rules(type("Silent", (Told,), {"announce": Sink.announce})()) == rule
    assert broken_rules(type("Odd", (Told,), {"takes": frozenset({"weather"})})()) == rule
