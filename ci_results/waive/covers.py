"""Covers: whether a waiver counts for one requirement in one decision, and why not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from ..domain.outcome import GOOD, UNFINISHED
from ..domain.purpose import Purpose
from ..domain.waiver import Standing, Terms, Waiver
from .standing import standing

NO_FAILURE, NO_TEXT = "0-none", "0-silent"
"""In the place of signatures: what a waiver was given for when nothing had failed, and for a failure that
does not say how. A signature begins with the version of its algorithm, and those begin with 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is to be waived: a requirement, and the result that does not meet it.

    aliases    other names of the subject's type: {"brew-build"}
    outcome    of the newest result; None = there is none
    signature  of its failure; None = it has none
    """

    subject_type: str
    subject: str
    testcase: str
    scenario: str | None = None
    arch: str | None = None
    outcome: str | None = None
    signature: str | None = None
    aliases: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """For what, and at which moment, is asked.

    purposes          those named by who asks; product version and context count as named
    decision_context  "bodhi_update_push_stable", or None
    unfinished        a queued or running test may be waived, too
    seq, now          the moment: see `standing`
    """

    product_version: str
    decision_context: str | None = None
    purposes: frozenset[Purpose] = frozenset()
    unfinished: bool = False
    seq: int
    now: datetime

    @property
    def named(self) -> frozenset[Purpose]:
        """All purposes that are asked for."""
        own = {Purpose("product", self.product_version)}
        if self.decision_context is not None:
            own.add(Purpose("context", self.decision_context))
        return self.purposes | own


class Why(StrEnum):
    """The first reason that a waiver does not count, or that it does."""

    COVERED = "covered"
    OTHER_SUBJECT = "other subject"
    OTHER_TESTCASE = "other testcase"
    OTHER_SCENARIO = "other scenario"
    OTHER_ARCH = "other arch"
    OTHER_PRODUCT_VERSION = "other product version"
    OTHER_PURPOSE = "other purpose"
    NOT_WAIVED = "not waived"
    NOT_ACTIVE = "not active"
    UNFINISHED = "unfinished"
    SUSPENDED = "suspended"


class Coverage(NamedTuple):
    """Whether a waiver counts: `why` for programs, `reason` for people ("W-7 is suspended: ...")."""

    covered: bool
    why: Why
    reason: str


def covers(waiver: Waiver, target: Target, setting: Setting) -> Coverage:
    """Say whether `waiver` waives `target` for `setting`."""
    for why, reason in _objections(waiver, target, setting):
        return Coverage(False, why, f"{waiver.name} {reason}")
    return Coverage(True, Why.COVERED, f"{waiver.name} covers it")


def matches(terms: Terms, target: Target) -> bool:
    """Say whether `target` lies in the scope of `terms`: subject, testcase, scenario and arch."""
    return next(_out_of_scope(terms, target), None) is None


def suspended(terms: Terms, target: Target) -> str | None:
    """Say how the failure changed since; None = it did not, or that does not matter.

    Signatures of another version of the algorithm cannot be compared, and suspend nothing.
    """
    if terms.lenient or not terms.signatures:
        return None
    if target.outcome is None:
        gone = NO_FAILURE not in terms.signatures
        return "it was given for a failure, and there is no result now" if gone else None
    if NO_FAILURE in terms.signatures:
        if target.outcome in GOOD | UNFINISHED:
            return None
        return f"it was given when nothing had failed, and the result is {target.outcome} now"
    if target.signature is None:
        return None if NO_TEXT in terms.signatures else "the failure changed since, and has no text now"
    if terms.signatures == (NO_TEXT,):
        return "the failure changed since, and has a text now"
    version = _version(target.signature)
    comparable = [one for one in terms.signatures if _version(one) == version]
    if comparable and target.signature not in comparable:
        return "the failure changed since it was given"
    return None


def _objections(waiver: Waiver, target: Target, setting: Setting) -> Iterator[tuple[Why, str]]:
    terms = waiver.terms
    yield from _out_of_scope(terms, target)
    if terms.product_version != setting.product_version:
        yield Why.OTHER_PRODUCT_VERSION, f"is for product version {terms.product_version}"
    if terms.purpose is not None and terms.purpose not in setting.named:
        yield Why.OTHER_PURPOSE, f"is for {terms.purpose} only"
    if not terms.waived:
        yield Why.NOT_WAIVED, "says that it is not waived"
    stands = standing(waiver, setting.seq, setting.now)
    if stands is not Standing.ACTIVE:
        yield Why.NOT_ACTIVE, f"is {stands}"
    if target.outcome in UNFINISHED and not setting.unfinished:
        yield Why.UNFINISHED, f"does not waive a test that is {target.outcome}"
    if changed := suspended(terms, target):
        yield Why.SUSPENDED, f"is suspended: {changed}"


def _out_of_scope(terms: Terms, target: Target) -> Iterator[tuple[Why, str]]:
    kinds = target.aliases | {target.subject_type}
    if terms.subject != target.subject or terms.subject_type not in kinds:
        yield Why.OTHER_SUBJECT, f"is for {terms.subject_type} {terms.subject}"
    if terms.testcase != target.testcase:
        yield Why.OTHER_TESTCASE, f"is for testcase {terms.testcase}"
    if terms.scenario is not None and terms.scenario != target.scenario:
        yield Why.OTHER_SCENARIO, f"is for scenario {terms.scenario}"
    if terms.arch is not None and terms.arch != target.arch:
        yield Why.OTHER_ARCH, f"is for architecture {terms.arch}"


def _version(signature: str) -> str:
    """Return the version of the algorithm that made a signature: "1" of "1-9f86d081884c7d"."""
    return signature.partition("-")[0]
