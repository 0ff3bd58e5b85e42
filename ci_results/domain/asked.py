"""Request: what somebody wants decided; Question: what must be read to decide it; Asked: what a rule sees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from ..errors import InvalidError, shown
from .purpose import Purpose
from .subject import Subject, SubjectType

if TYPE_CHECKING:
    from .policy import Policy
    from .tiers import Tiers


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody wants decided.

    contexts        decision contexts; () with `policy`
    policy          the policy of the request itself, instead of the configured ones
    purposes        what it is for: waivers for another purpose do not count
    ignore_results  ids of results to leave out, after the latest were found
    when            decide as it was then; None = now
    tiers           what depends on what, for rules about tiers
    baseline        the item to compare with, for rules that leave it to the request
    """

    subjects: tuple[Subject, ...]
    product_version: str
    contexts: tuple[str, ...] = ()
    policy: Policy | None = None
    purposes: frozenset[Purpose] = frozenset()
    ignore_results: frozenset[int] = frozenset()
    ignore_waivers: frozenset[int] = frozenset()
    verbose: bool = False
    when: datetime | None = None
    tiers: Tiers | None = None
    baseline: str | None = None

    @property
    def purpose(self) -> str | None:
        """The one purpose that is named, for a waiver that is to open this decision and no other."""
        return str(next(iter(self.purposes))) if len(self.purposes) == 1 else None

    def __post_init__(self) -> None:
        if not self.product_version:
            raise InvalidError("a decision needs a product version")
        if bool(self.contexts) == (self.policy is not None):
            raise InvalidError("a decision needs either decision contexts or rules of its own")
        if self.when is not None and self.when.tzinfo is None:
            raise InvalidError(f"the time to decide for has no zone: {shown(self.when)}")


class Asked(NamedTuple):
    """What a rule sees before anything was read: of which subject, for which request, from which policy.

    contexts      those decided for: of the request, or of a rule about another subject
    package       name of the subject's package, None where its type does not tell it
    fetched       remote rule files that were fetched already
    read_remote   address and text of such a file -> its policies
    questions_of  what must be read to decide for another subject in other contexts
    """

    subject: Subject
    kind: SubjectType
    package: str | None
    request: Request
    contexts: tuple[str, ...]
    policy: Policy
    fetched: Mapping[RemoteFileOf, Fetched]
    read_remote: Callable[[str, bytes], tuple[Policy, ...]]
    questions_of: Callable[[Subject, tuple[str, ...]], Iterable[Question]]


# -- what a rule may ask ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LatestOf:
    """The latest results of a subject for one testcase, each scenario, architecture and variant."""

    subject: Subject
    testcase: str


@dataclass(frozen=True, slots=True)
class LatestLike:
    """The same for each testcase that matches a shell glob."""

    subject: Subject
    pattern: str


@dataclass(frozen=True, slots=True)
class PlanOf:
    """A plan of manual tests, and the subject's latest results of the testcases that it requires."""

    subject: Subject
    plan: str


@dataclass(frozen=True, slots=True)
class HistoryOf:
    """The last finished results of a testcase, of the subject or of all items of its component."""

    subject: Subject
    testcase: str
    last: int
    component: bool = False
    scenario: str | None = None


@dataclass(frozen=True, slots=True)
class BaselineOf:
    """The item to compare with, and its latest results of testcases that match one of some globs.

    baseline  an identifier of the subject's type; None: the item of the same component before it
    """

    subject: Subject
    baseline: str | None
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SelectOf:
    """The rows of a SELECT on the public views, at most `most`, with its parameters by name."""

    select: str
    parameters: tuple[tuple[str, str | int | None], ...]
    most: int


@dataclass(frozen=True, slots=True)
class RemoteFileOf:
    """The remote rule file of a subject: the first of these addresses that has one."""

    subject: Subject
    templates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BuildTimeOf:
    """When the subject was built."""

    subject: Subject


Question = LatestOf | LatestLike | PlanOf | HistoryOf | BaselineOf | SelectOf | RemoteFileOf | BuildTimeOf


class Fetched(NamedTuple):
    """What became of fetching a remote rule file.

    text      the file, None where there is none
    url       where it was found
    tried     the addresses that were asked, in order
    error     why it could not be told whether there is one
    away     and that a host or the build system did not tell, or that none is configured
    """

    text: bytes | None = None
    url: str | None = None
    tried: tuple[str, ...] = ()
    error: str | None = None
    away: bool = False


class Needs(NamedTuple):
    """What the store must read for a decision: read all of it at one moment.

    latest         testcases by subject, exactly; `like` globs of further ones; every subject has a key
    plans, histories, baselines, selects, build_times   the questions of rules of ours, each once
    remote_files   to fetch first: what they require is told by asking again with them
    waivers        subjects whose waivers count
    """

    latest: Mapping[Subject, Set[str]] = {}
    like: Mapping[Subject, Set[str]] = {}
    plans: tuple[PlanOf, ...] = ()
    histories: tuple[HistoryOf, ...] = ()
    baselines: tuple[BaselineOf, ...] = ()
    selects: tuple[SelectOf, ...] = ()
    build_times: tuple[BuildTimeOf, ...] = ()
    remote_files: tuple[RemoteFileOf, ...] = ()

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """Those whose results, waivers and expectations count."""
        return tuple(self.latest)

    @property
    def beyond(self) -> tuple[HistoryOf | BaselineOf | SelectOf, ...]:
        """What looks beyond the latest results of a subject."""
        return (*self.histories, *self.baselines, *self.selects)
