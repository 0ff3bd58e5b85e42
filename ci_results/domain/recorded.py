"""Decisions that were recorded, one for each change; and what is followed to notice changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from .delivery import START, Position
from .subject import Subject


class GatingPoint(NamedTuple):
    """What one recorded decision is about: a subject, for a product version, in a decision context."""

    subject: Subject
    product_version: str
    context: str

    @property
    def key(self) -> str:
        """Hash that names it, of one length whatever it is called."""
        return hashlib.sha256(json.dumps(self).encode()).hexdigest()


class Followed(NamedTuple):
    """How a gating point stands.

    number   of its newest decision, counted from 1; 0 = none yet
    verdict  of that, None = none yet
    shape    hash of what makes two decisions different
    digest   of the policies that it was judged by
    wake     when it may change though nothing is stored: an expiry, a due time; None = never
    """

    point: GatingPoint
    number: int = 0
    verdict: str | None = None
    shape: str = ""
    digest: str = ""
    wake: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDecision:
    """A decision that differs from the one before it at its gating point.

    number       counts from 1; old_verdict: of the one before, None = this is the first
    satisfied    what Greenwave calls policies_satisfied; summary: its one sentence
    at           the moment that was decided for; as_of: seq of the last commit that counted
    cause        what was new: {"results": 3, "testcase": "dist.rpmlint"}
    digest       of the policies
    answer       as Greenwave tells it; proof: the whole of it, docs/decisions.md tells the shape
    id, seq      its number in the store and the commit that has it; 0 = not stored yet
    """

    point: GatingPoint
    number: int
    verdict: str
    old_verdict: str | None
    satisfied: bool
    summary: str
    at: datetime
    as_of: int
    cause: Mapping[str, Any]
    digest: str
    answer: Mapping[str, Any]
    proof: Mapping[str, Any]
    id: int = 0
    seq: int = 0


class FollowerState(NamedTuple):
    """How far the follower is.

    turn      counts its transactions: who was overtaken changes nothing
    position  all facts up to there were looked at
    digest    of the policies that all open gating points were judged by
    """

    turn: int = 0
    position: Position = START
    digest: str = ""


class Behind(NamedTuple):
    """Commits that the follower has not looked at, and when the first of them was received."""

    commits: int = 0
    oldest: datetime | None = None


class ResultNews(NamedTuple):
    """A new result, as far as it says which decisions it may change."""

    testcase: str
    item_type: str
    item: str
    data: Mapping[str, Sequence[str]]


class WaiverNews(NamedTuple):
    """A step in the life of a waiver with these terms."""

    subject: Subject
    testcase: str
    product_version: str


class EventNews(NamedTuple):
    """An event about a subject; () = its product versions are not known."""

    subject: Subject
    product_versions: tuple[str, ...]


class PlanNews(NamedTuple):
    """A new version of a plan for items of that name, in which `*` is any run of characters."""

    item_type: str
    item: str


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A page of what was stored, in the order of commits. `to` is where it ends; `facts` counts it."""

    to: Position
    results: Sequence[ResultNews] = ()
    waivers: Sequence[WaiverNews] = ()
    events: Sequence[EventNews] = ()
    plans: Sequence[PlanNews] = ()

    @property
    def facts(self) -> int:
        """How many facts it has."""
        return len(self.results) + len(self.waivers) + len(self.events) + len(self.plans)
