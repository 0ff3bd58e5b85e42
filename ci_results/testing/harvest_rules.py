"""Rules about an undisturbed harvest: what it yields, what it asks, where it goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from ..domain.checkpoint import Checkpoint
from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.testcase import check_testcase
from ..errors import InvalidError, shown
from ..normalise.items import check_item
from .collector_case import CollectorCase
from .lessons import broken
from .rehearsal import Told, pages_after, rehearse, resume_points

NO_ZONE = "has no zone"
NOTHING_RAN = frozenset(
    {
        *(
            "skipped",
            "skip",
            "not_run",
            "notrun",
            "not_built",
            "notbuilt",
            "aborted",
            "cancelled",
            "canceled",
        ),
        *("disabled", "ignored", "pending", "queued", "running", "unknown", "none", "null", "empty"),
        *("no_tests", "untested", "blocked", "timeout", "interrupted", "incomplete"),
    }
)
"""Words by which sources say that no test ran to its end."""


class HarvestRules(CollectorCase):
    """What a harvest of a healthy source must look like."""

    def test_it_yields_observations_garbled_records_and_checkpoints(self) -> None:
        """Nothing else is understood by the core, and a recording must show some of it."""
        told = self.harvested()
        for thing in told.seen:
            if not isinstance(thing, Observation | Garbled | Checkpoint):
                raise broken("yields", f"yielded a {type(thing).__name__}: {shown(thing)}")
        if not told.observations:
            reasons = "; ".join(sorted({each.reason for each in told.garbled})[:3]) or "nothing at all"
            raise broken("recording", f"a harvest of the recording yields no observation, but: {reasons}")

    def test_every_request_goes_through_the_given_http(self) -> None:
        """Its own requests.get has no time-out, no bounds, and asks the network in tests."""
        told: Told = self._once("harvest", self.rehearse)
        if told.outside:
            raise broken("http", f"asked past `http`: {_some(told.outside)}")

    def test_keys_are_unique(self) -> None:
        """Within one harvest a key stands for one result."""
        twice = [key for key, count in Counter(self.harvested().keys).items() if count > 1]
        if twice:
            raise broken("unique", f"{len(twice)} keys came more than once: {_some(twice)}")

    def test_a_second_harvest_says_the_same(self) -> None:
        """From the same start and the same answers, keys and all else are equal."""
        first, second = self.harvested(), self.rehearse()
        lost = [key for key in first.keys if key not in set(second.keys)]
        if lost or len(first.keys) != len(second.keys):
            raise broken("keys", f"keys differ between two harvests of the same recording: {_some(lost)}")
        for one, other in zip(first.observations, second.observations, strict=True):
            if one != other:
                raise broken("keys", f"two harvests differ in {shown(one.key)}: {_difference(one, other)}")

    def test_times_have_a_zone(self) -> None:
        """A naive time is refused, so all its records would be lost to the quarantine."""
        told: Told = self._once("harvest", self.rehearse)
        said = [each.reason for each in told.garbled] + [str(told.error)]
        naive = [text for text in said if NO_ZONE in text]
        if naive:
            raise broken("times", f"{len(naive)} records: {naive[0]}")

    def test_testcases_have_a_namespace(self) -> None:
        """`team.test`, as every store of results wants it."""
        for each in self.harvested().observations:
            try:
                check_testcase(each.testcase)
            except InvalidError as err:
                raise broken("namespace", str(err)) from err

    def test_items_fit_their_type(self) -> None:
        """The grammar of the item type holds: a koji_build is a whole name-version-release."""
        kinds = self.item_types()
        for each in self.harvested().observations:
            kind = kinds.get(each.item_type)
            if kind is None:
                raise broken(
                    "items", f"item type {shown(each.item_type)} is not known; known are {', '.join(kinds)}"
                )
            try:
                check_item(kind, each.item)
            except InvalidError as err:
                raise broken("items", str(err)) from err

    def test_outcome_words_are_mapped(self) -> None:
        """Every word of the recording, and the table itself, leads to one of our outcomes."""
        for word, ours in self.words().items():
            if word != word.lower() or ours not in set(Outcome):
                raise broken("outcomes", f"outcomes[{word!r}] = {ours!r}")
        for each in self.harvested().observations:
            if each.outcome not in set(Outcome) and each.outcome.lower() not in self.words():
                raise broken("outcomes", f"{shown(each.outcome)} of {shown(each.key)} is in no mapping")

    def test_observations_can_be_stored(self) -> None:
        """Everything else that the core checks of each observation."""
        told = self.harvested()
        normalise = self.normaliser()
        for each in told.observations:
            try:
                normalise(each)
            except InvalidError as err:
                raise broken("storable", str(err)) from err

    def test_nothing_executed_is_no_pass(self) -> None:
        """No word for "nothing ran" is mapped to PASSED."""
        for word, ours in self.words().items():
            if ours == Outcome.PASSED and word.replace(" ", "_").replace("-", "_") in NOTHING_RAN:
                raise broken("vacuous", f"outcomes[{word!r}] = {ours!r}")

    def test_the_last_word_is_a_checkpoint(self) -> None:
        """What comes after the last checkpoint would be read again each time."""
        told = self.harvested()
        if not told.checkpoints:
            raise broken("checkpoint", f"{len(told.seen)} things were yielded, no Checkpoint among them")
        wrong = [
            each.cursor for each in told.checkpoints if not isinstance(each.cursor, str) or not each.cursor
        ]
        if wrong:
            raise broken("checkpoint", f"a cursor is a text that is not empty, got {shown(wrong[0])}")
        if not isinstance(told.seen[-1], Checkpoint):
            raise broken("checkpoint", f"the last thing yielded is no Checkpoint but {shown(told.seen[-1])}")

    def test_the_cursor_is_used(self) -> None:
        """From its last cursor a harvest asks something else, or yields less."""
        told = self.harvested()
        if not told.checkpoints:
            raise broken("checkpoint", "there is no cursor to go on from: no Checkpoint was yielded")
        again = self._from(told, len(told.checkpoints) - 1)
        if told.keys and again.requests == told.requests and set(again.keys) == set(told.keys):
            raise broken(
                "cursor", f"with cursor {shown(told.checkpoints[-1].cursor)} it asks and yields all again"
            )

    def test_a_harvest_goes_on_from_every_checkpoint(self) -> None:
        """What was not stored before a checkpoint comes after it: nothing is skipped."""
        told = self.harvested()
        for index in resume_points(told.checkpoints):
            before = set(_keys_until(told, index))
            rest = self._from(told, index)
            missing = [key for key in told.keys if key not in before | set(rest.keys)]
            if missing:
                cursor = shown(told.checkpoints[index].cursor)
                raise broken("resume", f"going on from cursor {cursor} these never come: {_some(missing)}")

    def test_it_yields_before_it_has_read_all(self) -> None:
        """The first page is given before the last is asked for."""
        told = self.harvested()
        if told.before:
            raise broken("lazy", f"harvest() asked {told.before} requests before anything was taken from it")
        if len(told.requests) >= 3 and told.at_first == len(told.requests) and self.pages() != 1:
            raise broken(
                "lazy", f"all {len(told.requests)} requests were asked before the first thing was yielded"
            )

    def test_requests_are_bounded(self) -> None:
        """Nothing is asked twice in a harvest, and not much more than there are runs."""
        told = self.harvested()
        twice = [request for request, count in Counter(told.requests).items() if count > 1]
        if twice:
            raise broken("bounded", f"asked more than once: {_some(twice)}")
        runs = {each.run.key if each.run else each.key for each in told.observations}
        most = 20 + 2 * len(runs) if self.most_requests is None else self.most_requests
        if len(told.requests) > most:
            raise broken(
                "bounded", f"{len(told.requests)} requests for {len(runs)} runs, at most {most} are fair"
            )

    def test_it_keeps_no_state(self) -> None:
        """A harvest leaves the collector as it was."""
        before = repr(sorted(vars(self.collector).items()))
        self.rehearse()
        after = repr(sorted(vars(self.collector).items()))
        if before != after:
            raise broken("state", f"harvest() changed the collector from {shown(before)} to {shown(after)}")

    def _from(self, told: Told, index: int) -> Told:
        """Harvest on from a checkpoint; an error or a request out of the recording breaks "resume"."""
        pages = pages_after(index, self.pages())
        again = rehearse(self.collector, self.options, self.recorded(), told.checkpoints[index].cursor, pages)
        if again.error is not None:
            raise broken(
                "resume", f"going on from a cursor ended with {type(again.error).__name__}: {again.error}"
            )
        return again


def _keys_until(told: Told, index: int) -> list[tuple[str, str]]:
    upto = [n for n, thing in enumerate(told.seen) if isinstance(thing, Checkpoint)][index]
    return Told(seen=told.seen[:upto]).keys


def _difference(one: Observation, other: Observation) -> str:
    for name in Observation.__slots__:
        a, b = getattr(one, name), getattr(other, name)
        if a != b:
            return f"{name} was {shown(a)}, then {shown(b)}"
    return "nothing"


def _some(things: Iterable[Any]) -> str:
    """Show at most three of `things`."""
    every = list(things)
    return ", ".join(map(shown, every[:3])) + (" ..." if len(every) > 3 else "")
