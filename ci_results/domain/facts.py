"""Facts: everything that a decision may know, read at one moment. The same facts give the same decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from .asked import (
    BaselineOf,
    BuildTimeOf,
    Fetched,
    HistoryOf,
    PlanOf,
    Question,
    RemoteFileOf,
    SelectOf,
)
from .plan import Plan
from .subject import Subject

if TYPE_CHECKING:
    from .waiver import Waiver


class Evidence(NamedTuple):
    """One result, as far as decisions look at it.

    time        what "latest" goes by, aware UTC
    scenario, arch, variant  what sets it apart from other results of its testcase, None = nothing
    data        its attributes as served, each a list of texts
    build_url   where it was run
    imported    it is a copy of what another system had: history, no fresh evidence
    signature   of its failure, for waivers that know what they waive
    """

    id: int
    testcase: str
    outcome: str
    time: datetime
    scenario: str | None = None
    arch: str | None = None
    variant: str | None = None
    data: Mapping[str, Sequence[str]] = {}
    note: str | None = None
    build_url: str | None = None
    imported: bool = False
    signature: str | None = None

    @property
    def message_id(self) -> str | None:
        """The message that brought it."""
        return _first(self.data, "message_id")


class Variant(NamedTuple):
    """What sets a result apart from others of its testcase, None = nothing."""

    scenario: str | None
    arch: str | None
    variant: str | None


def variant_of(data: Mapping[str, Sequence[str]], scenario: str | None, arch: str | None) -> Variant:
    """Return the variant of a result: what it says itself, else what its attributes say."""
    return Variant(
        scenario or _first(data, "scenario"),
        arch or _first(data, "arch") or _first(data, "system_architecture"),
        _first(data, "variant") or _first(data, "system_variant"),
    )


def _first(data: Mapping[str, Sequence[str]], name: str) -> str | None:
    values = data.get(name)
    return values[0] if values else None


class Expectation(NamedTuple):
    """That a result is on its way: since when, when it is due, by which event, and who answers for it."""

    since: datetime
    due: datetime | None = None
    event: str | None = None
    owner: str | None = None

    def overdue(self, now: datetime) -> bool:
        """Say whether it should have come by now."""
        return self.due is not None and self.due <= now


class Baseline(NamedTuple):
    """The item that was found to compare with, and its latest results by testcase; None: there is none."""

    identifier: str | None
    latest: Mapping[str, Sequence[Evidence]] = {}


class Selected(NamedTuple):
    """What a SELECT gave: rows, or why it gave none (a time limit, a fault)."""

    rows: tuple[tuple[Any, ...], ...] = ()
    error: str | None = None


class Facts(NamedTuple):
    """What was read.

    as_of         seq of the last commit that was seen
    now           the moment that is decided for, aware UTC
    latest        by subject and testcase, newest first: one of each scenario, architecture, variant
    waivers       by subject, newest first, in whatever state: whether one counts is judged
    expectations  of results that are on their way
    owners        who answers for a testcase, where known
    unanswered    questions that have no answer, each with why
    the rest      answers to the questions of the same name; one that is absent was not answered
    """

    as_of: int
    now: datetime
    latest: Mapping[Subject, Mapping[str, Sequence[Evidence]]]
    waivers: Mapping[Subject, Sequence[Waiver]] = {}
    expectations: Mapping[tuple[Subject, str], Expectation] = {}
    owners: Mapping[str, str] = {}
    plans: Mapping[PlanOf, Plan | None] = {}
    histories: Mapping[HistoryOf, Sequence[Evidence]] = {}
    baselines: Mapping[BaselineOf, Baseline] = {}
    selects: Mapping[SelectOf, Selected] = {}
    build_times: Mapping[BuildTimeOf, datetime] = {}
    remote_files: Mapping[RemoteFileOf, Fetched] = {}
    unanswered: Mapping[Question, str] = {}
