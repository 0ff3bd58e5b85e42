"""Surroundings: what every route of the APIs is given, in one value."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import ParamSpec, TypeVar

from starlette.concurrency import run_in_threadpool

from ..config import Report, Serving
from ..decide.policy_set import PolicySet
from ..domain.expectation import EventRules
from ..domain.outcome import Outcome
from ..domain.ownership import Ownership
from ..domain.purpose import Purpose
from ..errors import TooBroadError
from ..operations.gate import Gate
from ..operations.gating.outside import Outside
from ..operations.policies import Policies, no_policies
from ..operations.waive import Desk
from ..plugin.manager import Plugins, load_plugins
from ..sinks.archiving import Place
from ..store.protocol import Store
from ..waive.purposes import check_purpose
from ..waive.rules import NO_RULES, Rules
from ..wire.greenwave_request import Reader
from .auth.access import OPEN, Access

P = ParamSpec("P")
T = TypeVar("T")


@cache
def installed_plugins() -> Plugins:
    """Return the plugins of this installation, found once."""
    return load_plugins()


def now() -> datetime:
    """Return the time, aware UTC."""
    return datetime.now(UTC)


def vocabulary(more: Collection[str] = ()) -> tuple[str, ...]:
    """Return the outcomes of this installation: those everybody knows, then its own, each once."""
    return tuple(dict.fromkeys((*map(str, Outcome), *more)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRules:
    """What is assumed of reports: `table` is `report` of the configuration, `ownership` what they may say."""

    table: Report = field(default_factory=Report)
    ownership: Ownership | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arranged:
    """What a configuration says of all that is served, beside its table `serve`.

    outcomes  words beside those that everybody knows
    reports   what is assumed of posted reports, and what they may say
    waive     who may waive what, and how many have to approve
    events    how events are taken
    policies  those that are in force
    outside   what decisions may ask beside the store
    owner_of  who answers for a testcase, where known
    archives  where files of runs are kept
    """

    outcomes: Collection[str] = ()
    reports: ReportRules = field(default_factory=ReportRules)
    waive: Rules = NO_RULES
    events: EventRules = field(default_factory=EventRules)
    policies: Policies = field(default_factory=no_policies)
    outside: Outside | None = None
    owner_of: Callable[[str], str | None] | None = None
    archives: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a route may use.

    store     open for as long as the application runs; somebody else closes it
    settings  table `serve` of the configuration, e.g. `settings.max_limit`
    outcomes  the words that a result may say, in the order in which they are told
    inline    the store answers index-bounded reads in microseconds, in this process (SQLite)
    clock     tells the time, aware UTC
    access    who is known, and what they may
    reports   what is assumed of reports, and what they may say
    waive     who may waive what, and how many have to approve
    events    how events are taken
    plugins   gives all plugins, when first asked for
    policies  those that are in force
    outside, owner_of  as in operations.gate.Gate
    archives  where files of runs are kept
    """

    store: Store
    settings: Serving = field(default_factory=Serving)
    outcomes: tuple[str, ...] = vocabulary()
    inline: bool = True
    clock: Callable[[], datetime] = now
    access: Access = OPEN
    reports: ReportRules = field(default_factory=ReportRules)
    waive: Rules = NO_RULES
    events: EventRules = field(default_factory=EventRules)
    plugins: Callable[[], Plugins] = installed_plugins
    policies: Policies = field(default_factory=no_policies)
    outside: Outside | None = None
    owner_of: Callable[[str], str | None] | None = None
    archives: tuple[Place, ...] = ()

    def gate(self) -> Gate:
        """Return where decisions are made, by the policies that are in force now."""
        return Gate(
            store=self.store,
            policies=self.policies.current(),
            now=self.clock,
            outside=self.outside,
            owner_of=self.owner_of,
        )

    def request_reader(self, policies: PolicySet) -> Reader:
        """Return what reads requests for decisions by these policies."""
        return Reader(
            policies.subject_types, policies.on_demand, self.settings.max_subjects, self._known_purpose
        )

    def _known_purpose(self, purpose: Purpose) -> Purpose:
        return check_purpose(purpose, self.plugins().purposes)

    def desk(self) -> Desk:
        """Return where waivers are asked for, with the kinds of purpose that plugins know."""
        return Desk(
            store=self.store,
            rules=self.waive,
            types=self.policies.current().subject_types,
            kinds=self.plugins().purposes,
            now=self.clock,
        )

    async def read(self, question: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """Answer a `question` of the store: here, or in a thread where it would wait or takes long.

        A thread costs more than the question where the store is a file: 50 us against 20. So it is
        asked here first, with the small budget of `Store.hurry`. Raises TooBroadError beyond the whole.
        """
        if self.inline:
            try:
                return question(*args, **named)
            except TooBroadError:
                pass
        return await self.apart(question, *args, **named)

    async def apart(self, question: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """Answer what takes long in a thread of its own, where a question has the whole budget."""
        return await run_in_threadpool(question, *args, **named)
