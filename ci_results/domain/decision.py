"""Decision: the verdict and its proof: requirement <- result <- waiver, each with where it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from .asked import Request
from .facts import Evidence, Expectation
from .policy import Place, Policy, Rule
from .subject import Subject

if TYPE_CHECKING:
    from .waiver import Waiver


class Verdict(StrEnum):
    """What is decided. Of several, the first in this order that holds for a part holds for the whole."""

    NO_GO = "no-go"
    ERROR = "error"
    NO_POLICY = "no-policy"
    WAIT = "wait"
    GO = "go"


class State(StrEnum):
    """How a requirement stands by its results alone; whether it is waived is another matter.

    PASSED FAILED ERRORED   a finished result says so (NEEDS_INSPECTION counts as failed, and is shown)
    WAITING                 a run is queued or running
    MISSING                 there is no result
    UNKNOWN                 the rule could not be judged: a fact is not to be had
    EXCLUDED                the policy leaves the package out
    FETCHED, FILE_*         what became of a remote rule file
    """

    PASSED = "passed"
    FAILED = "failed"
    ERRORED = "errored"
    WAITING = "waiting"
    MISSING = "missing"
    UNKNOWN = "unknown"
    EXCLUDED = "excluded"
    FETCHED = "fetched"
    FILE_MISSING = "file missing"
    FILE_INVALID = "file invalid"
    FILE_UNREACHED = "file not reached"


_VERDICTS = {
    State.PASSED: Verdict.GO,
    State.EXCLUDED: Verdict.GO,
    State.FETCHED: Verdict.GO,
    State.FAILED: Verdict.NO_GO,
    State.FILE_MISSING: Verdict.NO_GO,
    State.FILE_INVALID: Verdict.NO_GO,
    State.ERRORED: Verdict.ERROR,
    State.UNKNOWN: Verdict.ERROR,
    State.FILE_UNREACHED: Verdict.ERROR,
    State.WAITING: Verdict.WAIT,
    State.MISSING: Verdict.WAIT,
}
_ORDER = {verdict: number for number, verdict in enumerate(Verdict)}
TESTED = frozenset({State.PASSED, State.FAILED, State.ERRORED, State.WAITING, State.MISSING, State.UNKNOWN})
"""States of requirements that are tests, which progress counts."""
DONE = frozenset({State.PASSED, State.FAILED, State.ERRORED})


class Requirement(NamedTuple):
    """One thing that is required, and how it stands.

    testcase   of the result, or the name that the rule goes by
    scenario   what the rule asks for, None = any
    result     the evidence, None where there is none
    waiver     the one that counts; `refused` those that are for it and do not, each with why
    said       what the rule says for people, where the state alone does not tell
    parts      what it is made of: `needed` of them must pass (None: a rule of its own kind)
    blocking   False: it informs only
    """

    state: State
    testcase: str
    subject: Subject
    rule: Rule | None
    policy: Policy
    scenario: str | None = None
    result: Evidence | None = None
    waiver: Waiver | None = None
    refused: tuple[tuple[Waiver, str], ...] = ()
    said: str | None = None
    parts: tuple[Requirement, ...] = ()
    needed: int | None = None
    blocking: bool = True
    expected: Expectation | None = None
    owner: str | None = None
    addresses: tuple[str, ...] = ()

    @property
    def satisfied(self) -> bool:
        """Whether it stands in nobody's way."""
        return self.waiver is not None or _VERDICTS[self.state] is Verdict.GO

    @property
    def verdict(self) -> Verdict:
        """What it alone would make of the decision."""
        alone = _VERDICTS[self.state]
        return alone if self.waiver is None and self.blocking else Verdict.GO

    @property
    def waived(self) -> bool:
        """Whether it is a waiver that makes it satisfied: its own, or one of a part without which too few
        would be."""
        if self.waiver is not None or not self.parts or not self.satisfied:
            return self.waiver is not None
        needed = 1 if self.needed is None else self.needed
        return sum(part.satisfied and not part.waived for part in self.parts) < needed

    @property
    def place(self) -> Place:
        """Where it is written."""
        return self.rule.place if self.rule is not None else self.policy.place

    @property
    def choice(self) -> bool:
        """Whether not all of its parts must pass."""
        return self.needed is not None and self.needed < len(self.parts)

    def counted(self) -> tuple[Requirement, ...]:
        """Return what counts as one test: each part where all must pass, itself where there is a choice."""
        return (self,) if self.needed is None or not self.parts or self.choice else self.parts


class GateProgress(NamedTuple):
    """How far the required tests are; what only informs is not counted.

    done  passed, failed, errored or waived: nothing more is to come
    """

    required: int = 0
    done: int = 0
    passed: int = 0
    failed: int = 0
    errored: int = 0
    waiting: int = 0
    missing: int = 0
    waived: int = 0

    @property
    def percent(self) -> float:
        """How many of a hundred are done, cut to one digit: 77.5; 100 only where all are."""
        return (1000 * self.done // self.required) / 10 if self.required else 100.0


class Opening(NamedTuple):
    """One thing that must happen before the gate opens: `needed` of `of` must pass or be waived.

    of  requirements that do not pass now; several where a rule leaves a choice
    """

    needed: int
    of: tuple[Requirement, ...]


class SubjectDecision(NamedTuple):
    """What is decided of one subject: by which policies, which are there in load order."""

    subject: Subject
    verdict: Verdict
    policies: tuple[Policy, ...]
    requirements: tuple[Requirement, ...]


class Decision(NamedTuple):
    """What is decided, for which request, at which moment.

    subjects  in the order of the request
    as_of     seq of the last commit that counted; `now` the moment
    digest    of the whole set of policies and subject types
    """

    request: Request
    verdict: Verdict
    subjects: tuple[SubjectDecision, ...]
    as_of: int
    now: datetime
    digest: str

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """All requirements, subject by subject."""
        if len(self.subjects) == 1:
            return self.subjects[0].requirements
        return tuple(requirement for each in self.subjects for requirement in each.requirements)

    @property
    def blockers(self) -> list[Requirement]:
        """What stands in the way, worst first."""
        blocking = [each for each in self.requirements if each.verdict is not Verdict.GO]
        return sorted(blocking, key=lambda each: _ORDER[each.verdict])

    @property
    def informational(self) -> list[Requirement]:
        """What is watched and blocks nothing."""
        return [each for each in self.requirements if not each.blocking]

    @property
    def progress(self) -> GateProgress:
        """How far the required tests are: each testcase of each subject in each of its variants."""
        leaves: list[Requirement] = []
        for each in self.requirements:
            if each.blocking and each.parts:
                leaves += each.counted()
            elif each.blocking:
                leaves.append(each)
        return count(leaves)

    @property
    def openings(self) -> tuple[Opening, ...]:
        """The least that must happen before the gate opens: all of these."""
        return tuple(opening for each in self.blockers for opening in _openings(each))


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the one that holds for the whole; GO for none."""
    return min(verdicts, key=_ORDER.__getitem__, default=Verdict.GO)


def count(requirements: Iterable[Requirement]) -> GateProgress:
    """Count single requirements."""
    tested = [each for each in requirements if each.state in TESTED]
    plain = [each.state for each in tested if not (each.waiver or (each.parts and each.waived))]
    waived = len(tested) - len(plain)
    passed = plain.count(State.PASSED)
    if passed == len(plain):
        return GateProgress(required=len(tested), done=len(tested), passed=passed, waived=waived)
    return GateProgress(
        required=len(tested),
        done=sum(state in DONE for state in plain) + waived,
        passed=passed,
        failed=plain.count(State.FAILED),
        errored=plain.count(State.ERRORED) + plain.count(State.UNKNOWN),
        waiting=plain.count(State.WAITING),
        missing=plain.count(State.MISSING),
        waived=waived,
    )


def _openings(requirement: Requirement) -> Iterator[Opening]:
    """Yield what opens one requirement that blocks."""
    if requirement.needed is None or not requirement.parts:
        yield Opening(1, (requirement,))
        return
    closed = tuple(part for part in requirement.parts if not part.satisfied)
    needed = requirement.needed - (len(requirement.parts) - len(closed))
    if needed == len(closed):
        for part in closed:
            yield from _openings(part)
    else:
        yield Opening(needed, closed)
