"""Plan: the testcases that people have to run for an item, and who said so; it never changes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ..errors import InvalidError, shown
from .testcase import check_testcase

MAX_CASES = 1_000
MAX_LINE = 1_024
MAX_STEPS = 65_536
WILD = "*"
"""In the item of a plan it stands for any run of characters."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCase:
    """One required testcase.

    title    what people call it; steps: how it is done, any number of lines
    ref_url  where it is described; http or https
    owner    who answers for it, contact: how to reach them
    """

    testcase: str
    title: str = ""
    steps: str = ""
    ref_url: str | None = None
    owner: str | None = None
    contact: str | None = None

    def __post_init__(self) -> None:
        check_testcase(self.testcase)
        for name in ("title", "owner", "contact"):
            _check_line(getattr(self, name) or "", name)
        if len(self.steps) > MAX_STEPS:
            raise InvalidError(f"steps are longer than {MAX_STEPS} characters: {shown(self.steps[:80])}")
        if "\0" in self.steps or any("\ud800" <= char <= "\udfff" for char in self.steps):
            raise InvalidError(f"steps hold NUL or a lone surrogate: {shown(self.steps)}")
        if self.ref_url is not None:
            _check_line(self.ref_url, "link")
            if not self.ref_url.startswith(("http://", "https://")):
                raise InvalidError(f"link is not http or https: {shown(self.ref_url)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Required testcases, in order, of one item or of all whose name matches.

    name   "beta-desktop": letters, digits, dots, dashes, underscores
    item   "Fedora-44-20260301.0"; "Fedora-44-*" is every compose of a product
    """

    name: str
    item_type: str
    item: str
    cases: tuple[PlanCase, ...]

    def __post_init__(self) -> None:
        check_plan_name(self.name)
        for name in ("item_type", "item"):
            if not getattr(self, name).strip():
                raise InvalidError(f"a plan needs an item and its type: {name} is empty")
            _check_line(getattr(self, name), name)
        if not 0 < len(self.cases) <= MAX_CASES:
            raise InvalidError(f"a plan has 1 to {MAX_CASES} testcases, not {len(self.cases)}")
        seen: set[str] = set()
        for case in self.cases:
            if case.testcase in seen:
                raise InvalidError(f"testcase {shown(case.testcase)} is in the plan twice")
            seen.add(case.testcase)

    @property
    def testcases(self) -> tuple[str, ...]:
        """The names of what is required, in order."""
        return tuple(case.testcase for case in self.cases)

    @property
    def is_for_one(self) -> bool:
        """Whether it is bound to one item, by its whole name."""
        return WILD not in self.item

    def applies_to(self, item_type: str, item: str) -> bool:
        """Say whether this plan is for that item.

        >>> cases = (PlanCase(testcase="desktop.login"),)
        >>> beta = Plan(name="beta", item_type="compose", item="Fedora-44-*", cases=cases)
        >>> [beta.applies_to("compose", f"Fedora-{n}-20260301.0") for n in (44, 43)]
        [True, False]
        """
        return item_type == self.item_type and _matches(self.item.split(WILD), item)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanVersion:
    """One version of a plan as it is stored.

    version  counts from 1; seq: number of the commit that brought it
    actor    who imported it; time: when, aware UTC
    """

    plan: Plan
    version: int
    seq: int
    actor: str
    time: datetime


def required(plans: Iterable[Plan], item_type: str, item: str) -> dict[str, tuple[str, ...]]:
    """Return by name the plans that apply to an item, each with the testcases that it requires of it."""
    return {plan.name: plan.testcases for plan in plans if plan.applies_to(item_type, item)}


def check_plan_name(name: str) -> str:
    """Return `name` if a plan may be called so. Raises InvalidError."""
    if not _NAME.fullmatch(name) or name.endswith(".json"):
        raise InvalidError(
            f"plan name {shown(name)}: use 1 to 100 letters, digits, dots, dashes and underscores,"
            " not .json at the end"
        )
    return name


def _matches(pieces: list[str], text: str) -> bool:
    """Say whether `text` has the pieces in this order, the first at its begin and the last at its end.

    The first place of each piece will do, so that no pattern takes long, as one of many stars does with `re`.
    """
    first, *others = pieces
    if not others:
        return text == first
    if not text.startswith(first):
        return False
    place = len(first)
    for piece in others[:-1]:
        place = text.find(piece, place)
        if place < 0:
            return False
        place += len(piece)
    return len(text) - place >= len(others[-1]) and text.endswith(others[-1])


def _check_line(text: str, name: str) -> None:
    if len(text) > MAX_LINE:
        raise InvalidError(f"{name} is longer than {MAX_LINE} characters: {shown(text[:80])}")
    if not text.isprintable():
        raise InvalidError(f"{name} holds unprintable characters: {shown(text)}")
