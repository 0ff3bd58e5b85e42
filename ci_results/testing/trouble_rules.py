"""Rules about a source in trouble: records that are broken, answers that are cut, servers that are away."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import requests

from ..domain.outcome import Outcome
from ..errors import CollectError, InvalidError, shown
from .collector_case import CollectorCase
from .damage import LOGIN_PAGE, Damage, cut_short, emptied_lists, missing_fields, spread, strange_records
from .exchange import Exchange
from .lessons import broken
from .rehearsal import Told

MOST_DAMAGES = 60
MOST_OUTAGES = 12


class TroubleRules(CollectorCase):
    """What a harvest must do where the source gives it no clean answer."""

    def test_bad_records_are_quarantined(self) -> None:
        """A record that nobody can read is yielded as Garbled, or stops the harvest; never vanishes."""
        self._try(strange_records, self._nothing_vanished)

    def test_a_missing_field_is_no_crash(self) -> None:
        """A record that lacks a field is Garbled, or read without it; no bare KeyError leaves harvest()."""
        self._try(missing_fields, lambda damage, told: None)

    def test_a_cut_answer_is_no_crash_and_no_end(self) -> None:
        """Half an answer is told, not taken for a shorter one."""
        self._try(cut_short, self._nothing_vanished)

    def test_an_emptied_report_is_no_pass(self) -> None:
        """Where a list of cases is empty, nothing was executed, and nothing new may have passed."""
        self._try(emptied_lists, self._nothing_new_passed)

    def test_an_outage_is_no_silence(self) -> None:
        """A dead connection or a 503 at any request ends the harvest with a CollectError."""
        away = [
            ("the connection was refused", lambda exchange: requests.ConnectionError("refused")),
            (
                "the server answered 503",
                lambda exchange: replace(exchange, status=503, headers={}, body=b"away"),
            ),
        ]
        for what, alter in away:
            for number in _some_numbers(len(self.harvested().requests)):
                told = self.rehearse(alter=_from_on(number, alter))
                asked = f"when request {number + 1} met trouble ({what})"
                if told.error is None:
                    raise broken("outage", f"{asked}, the harvest ended as if there were no more news")
                if not told.said_so:
                    raise broken("outage", f"{asked}, the harvest ended with {_error(told)}") from told.error

    def test_a_login_page_is_no_data(self) -> None:
        """HTML instead of data, with status 200, as an expired token gets it: told, not taken for nothing."""
        undisturbed = self.harvested()
        for number in _some_numbers(len(undisturbed.requests)):
            told = self.rehearse(alter=_from_on(number, _to_login))
            if told.error is not None and not told.said_so:
                raise broken(
                    "outage", f"a login page as answer {number + 1} ended in {_error(told)}"
                ) from told.error
            if told.error is None and not told.garbled and set(undisturbed.keys) - set(told.keys):
                raise broken("outage", f"a login page as answer {number + 1} was taken for no news")

    def _try(
        self,
        damages: Callable[[Sequence[Exchange]], Iterator[Damage]],
        judge: Callable[[Damage, Told], None],
    ) -> None:
        """Harvest each damaged recording; a request that it cannot answer proves nothing either way."""
        given = _distinct(self.harvested().answered)
        for damage in spread(damages(given), MOST_DAMAGES):
            told = self.rehearse(alter=damage)
            if told.unknown:
                continue
            if told.error is not None and not isinstance(told.error, CollectError):
                raise broken("crash", f"{damage.what}: harvest ended with {_error(told)}") from told.error
            judge(damage, told)

    def _nothing_vanished(self, damage: Damage, told: Told) -> None:
        undisturbed = self.harvested()
        lost = sorted(set(undisturbed.keys) - set(told.keys))
        if lost and told.error is None and len(told.garbled) <= len(undisturbed.garbled):
            raise broken(
                "quarantine", f"{damage.what}: {len(lost)} results vanished without a word, e.g. {lost[0]}"
            )

    def _nothing_new_passed(self, damage: Damage, told: Told) -> None:
        known = set(self.harvested().keys)
        normalise = self.normaliser()
        for key, seen in zip(told.keys, told.observations, strict=True):
            if key in known:
                continue
            try:
                result = normalise(seen)
            except InvalidError:
                continue
            if result.outcome == Outcome.PASSED:
                raise broken("vacuous", f"{damage.what}: {shown(seen.testcase)} of {key} is now PASSED")


def _from_on(
    first: int, alter: Callable[[Exchange], Exchange | Exception]
) -> Callable[..., Exchange | Exception]:
    """Alter the answer number `first` and all that follow."""
    return lambda number, exchange: alter(exchange) if number >= first else exchange


def _to_login(exchange: Exchange) -> Exchange:
    return replace(
        exchange, status=200, headers={"Content-Type": "text/html; charset=utf-8"}, body=LOGIN_PAGE
    )


def _some_numbers(count: int) -> list[int]:
    """Return at most MOST_OUTAGES numbers below `count`, spread evenly, the first and the last among them."""
    most = min(count, MOST_OUTAGES)
    return sorted({n * (count - 1) // max(1, most - 1) for n in range(most)})


def _distinct(exchanges: Sequence[Exchange]) -> list[Exchange]:
    return list({id(exchange): exchange for exchange in exchanges}.values())


def _error(told: Told) -> str:
    return f"{type(told.error).__name__}: {told.error}"
