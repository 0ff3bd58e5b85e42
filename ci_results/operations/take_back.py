"""Take back: who says that something is not waived ends the waivers that say it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..domain.waiver import Act, Terms, Waiver
from ..errors import InvalidError
from ..query.waivers import Stage, WaiverFilter, WaiverQuery
from ..store.identity import to_us
from ..waive import life
from ..waive.life import Actor

if TYPE_CHECKING:
    from .waive import Desk


def ended_by(desk: Desk, acts: Sequence[Act], actors: Sequence[Actor]) -> tuple[list[Act], dict[int, int]]:
    """Return the steps that end what `acts` say is not waived, and for each waiver its event last seen.

    actors  who takes each of `acts`, and so the steps that it brings

    They end waivers and requests of anybody, of the very same subject, testcase, scenario, architecture,
    product version and purpose: who may ask for a waiver may withdraw one like it. Raises InvalidError
    where one waives here what another after it takes back.
    """
    ends: dict[int, Act] = {}
    seen: dict[int, int] = {}
    for number, act in enumerate(acts):
        if act.terms is None or act.terms.waived:
            continue
        _refuse_contradiction(acts[:number], act.terms)
        for waiver in _saying_otherwise(desk, act.terms):
            if waiver.id not in ends:
                rule = desk.rules.of(act.terms.testcase)
                stands = desk.standing(waiver)
                ends[waiver.id] = life.withdraw(waiver, actors[number], act.comment, rule, stands)
                seen[waiver.id] = waiver.last
    return list(ends.values()), seen


def _saying_otherwise(desk: Desk, terms: Terms) -> Iterator[Waiver]:
    asked = WaiverFilter(
        subject_type=terms.subject_type, subject=terms.subject, testcase=terms.testcase,
        product_version=terms.product_version, scenario=terms.scenario,
    )  # fmt: skip
    seq, now = desk.store.waivers.seq(), to_us(desk.now())
    for stage in (Stage.ACTIVE, Stage.PENDING):
        for waiver in desk.store.waivers.find(WaiverQuery(filters=[asked], stage=stage, seq=seq, now=now)):
            if waiver.terms.waived and scope(waiver.terms) == scope(terms):
                yield waiver


def _refuse_contradiction(before: Sequence[Act], terms: Terms) -> None:
    for act in before:
        if act.terms is not None and act.terms.waived and scope(act.terms) == scope(terms):
            raise InvalidError(
                f"{terms.testcase} is waived for {terms.subject} and not waived in one request: ask for one"
            )


def scope(terms: Terms) -> tuple[object, ...]:
    """Return what a waiver is about, whatever it says of it."""
    return (
        terms.subject_type, terms.subject, terms.testcase, terms.scenario, terms.arch, terms.product_version,
        terms.purpose,
    )  # fmt: skip
