"""Waiver: somebody's word that a requirement need not be met, and the events that it is made of.

Nothing of a waiver ever changes: each step of its life is an event. `Waiver` is what the events of one
waiver come to; whether it counts is a question of a moment, which `waive.standing` answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .purpose import Purpose


class Step(StrEnum):
    """What an event says. EXPIRE only announces: a waiver ends at its time, announced or not."""

    REQUEST = "request"
    APPROVE = "approve"
    REJECT = "reject"
    GRANT = "grant"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"


class Turn(StrEnum):
    """What an event does to its waiver: from OPENS on it counts, from CLOSES on nothing happens to it."""

    OPENS = "opens"
    CLOSES = "closes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a waiver waives, said once at its request or grant.

    subject_type, subject  what is gated: "koji_build", "bash-5.2-1.fc40"
    scenario, arch         only there; None = everywhere
    product_version        "fedora-40"
    purpose                only for that; None = for every decision about the product version
    signatures             of the failures it was given for, or `waive.covers.NO_FAILURE`; () = bound to none
    lenient                it goes on counting when the failure changes
    waived                 False = takes the word back, as WaiverDB's clients say it: waives nothing
    expires_at             aware; None = never
    """

    subject_type: str
    subject: str
    testcase: str
    product_version: str
    scenario: str | None = None
    arch: str | None = None
    purpose: Purpose | None = None
    signatures: tuple[str, ...] = ()
    lenient: bool = False
    waived: bool = True
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One step on its way to the store, or told by it.

    username    who takes the step; proxied_by = who did it for them, None = they themselves
    via         the door, and how it knew them: "cli", "api:token", "page:oidc"
    waiver      the waiver it belongs to; None = it begins a new one, or was refused to
    turn        what it does to the waiver; None = nothing yet (a request, one of two approvals)
    refused     why it was not allowed: then it is kept as an attempt and does nothing
    terms       of a request or grant, None of all others
    """

    step: Step
    username: str
    comment: str
    proxied_by: str | None = None
    via: str
    waiver: int | None = None
    turn: Turn | None = None
    refused: str | None = None
    terms: Terms | None = None

    @property
    def persons(self) -> frozenset[str]:
        """All who had a hand in it."""
        return frozenset({self.username} if self.proxied_by is None else {self.username, self.proxied_by})


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverEvent:
    """An act as the store keeps it.

    id      its number in the chain, from 1 without gaps; a waiver's id is that of its first event
    seq     the commit that stored it
    time    when, by the store's clock; aware
    hash    hex SHA-256 of the event before and this one: docs/waivers.md says of which text
    """

    id: int
    seq: int
    time: datetime
    act: Act
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """What the events of one waiver come to.

    first      its request or grant
    approvals  events of its approvals so far, in order
    opened     the event from which on it counts; closed = the one that ended it; None = not so far
    last       id of its newest event: whoever takes the next step says that they have seen it
    """

    id: int
    terms: Terms
    first: WaiverEvent
    approvals: tuple[WaiverEvent, ...] = ()
    opened: WaiverEvent | None = None
    closed: WaiverEvent | None = None
    last: int

    @property
    def name(self) -> str:
        """As people call it: "W-118"."""
        return f"W-{self.id}"

    @property
    def username(self) -> str:
        """Who asked for it."""
        return self.first.act.username

    @property
    def proxied_by(self) -> str | None:
        """Who asked in the name of `username`."""
        return self.first.act.proxied_by

    @property
    def comment(self) -> str:
        """Why it was asked for."""
        return self.first.act.comment

    @property
    def approved_by(self) -> tuple[str, ...]:
        """Who approved it."""
        return tuple(event.act.username for event in self.approvals)

    @property
    def granted_seq(self) -> int | None:
        """The commit from which on it counts."""
        return None if self.opened is None else self.opened.seq

    @property
    def granted_at(self) -> datetime | None:
        """When that was."""
        return None if self.opened is None else self.opened.time

    @property
    def expires_at(self) -> datetime | None:
        """When it stops counting by itself."""
        return self.terms.expires_at


class Standing(StrEnum):
    """How a waiver stands at one moment. It counts only while it is ACTIVE."""

    UNKNOWN = "unknown"  # asked about a moment before it was made
    PENDING = "pending"
    ACTIVE = "active"
    EXPIRED = "expired"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
