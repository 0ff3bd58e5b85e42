"""Facts: everything that a decision may know, read at one moment. The same facts give the same decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
    build_url   where it was run; message_id: the message that brought it
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
    message_id: str | None = None
    imported: bool = False
    signature: str | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
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
    waivers: Mapping[Subject, Sequence[Waiver]] = field(default_factory=dict)
    expectations: Mapping[tuple[Subject, str], Expectation] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    plans: Mapping[PlanOf, Plan | None] = field(default_factory=dict)
    histories: Mapping[HistoryOf, Sequence[Evidence]] = field(default_factory=dict)
    baselines: Mapping[BaselineOf, Baseline] = field(default_factory=dict)
    selects: Mapping[SelectOf, Selected] = field(default_factory=dict)
    build_times: Mapping[BuildTimeOf, datetime] = field(default_factory=dict)
    remote_files: Mapping[RemoteFileOf, Fetched] = field(default_factory=dict)
    unanswered: Mapping[Question, str] = field(default_factory=dict)
