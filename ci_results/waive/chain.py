"""Chain: each event is hashed with the hash of the one before, so that a change or a gap shows.

What is hashed is written down in docs/waivers.md, so that anybody can check an export without us.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple

import orjson

from ..domain.purpose import Purpose
from ..domain.waiver import Act, Step, Terms, Turn, WaiverEvent

GENESIS = "0" * 64
"""What the first event has before it."""


class Head(NamedTuple):
    """The end of a chain: number and hash of its last event; id 0 = there is none yet."""

    id: int
    hash: str


START = Head(0, GENESIS)


def described(event: WaiverEvent) -> dict[str, Any]:
    """Return all that an event says but its hash, as JSON has it: what is hashed, and what is exported."""
    act = event.act
    return {
        "id": event.id, "seq": event.seq, "time": _text(event.time), "waiver": act.waiver,
        "step": str(act.step), "turn": None if act.turn is None else str(act.turn), "refused": act.refused,
        "username": act.username, "proxied_by": act.proxied_by, "via": act.via, "comment": act.comment,
        "terms": None if act.terms is None else _terms(act.terms),
    }  # fmt: skip


def undescribed(said: Mapping[str, Any], hashed: str) -> WaiverEvent:
    """Return the event that `described` tells so. Raises KeyError, TypeError, ValueError."""
    terms = said["terms"]
    act = Act(
        step=Step(said["step"]), username=said["username"], comment=said["comment"],
        proxied_by=said["proxied_by"], via=said["via"], waiver=said["waiver"],
        turn=None if said["turn"] is None else Turn(said["turn"]), refused=said["refused"],
        terms=None if terms is None else _terms_of(terms),
    )  # fmt: skip
    moment = datetime.fromisoformat(said["time"])
    return WaiverEvent(id=said["id"], seq=said["seq"], time=moment, act=act, hash=hashed)


def link(before: str, event: WaiverEvent) -> str:
    """Return the hash of `event` after one with the hash `before`."""
    return link_said(before, described(event))


def link_said(before: str, said: Mapping[str, Any]) -> str:
    """Return the hash of what an export says of an event, without its own hash."""
    return sha256(orjson.dumps([before, dict(said)], option=orjson.OPT_SORT_KEYS)).hexdigest()


def faults(events: Iterable[WaiverEvent], head: Head, published: Mapping[int, str]) -> Iterator[str]:
    """Yield what is wrong with a chain, each fault naming its event.

    events     all, by their numbers
    head       what the store believes to be the end
    published  hashes that were seen elsewhere, by number: {118: "9f86..."}
    """
    before = START
    for event in events:
        if event.id != before.id + 1:
            yield f"waiver events {before.id + 1} to {event.id - 1} are missing"
        elif event.hash != link(before.hash, event):
            yield f"waiver event {event.id} was altered: its hash is not that of what it says"
        if published.get(event.id, event.hash) != event.hash:
            yield f"waiver event {event.id} is not the one that was published with that number"
        before = Head(event.id, event.hash)
    if before != head:
        yield f"the chain ends with waiver event {before.id}, the store wrote {head.id}: events are cut off"
    beyond = [number for number in published if number > before.id]
    if beyond:
        yield f"waiver event {max(beyond)} was published, the chain ends with {before.id}: events are cut off"


def _terms(terms: Terms) -> dict[str, Any]:
    return {
        "subject_type": terms.subject_type, "subject": terms.subject, "testcase": terms.testcase,
        "product_version": terms.product_version, "scenario": terms.scenario, "arch": terms.arch,
        "purpose": None if terms.purpose is None else str(terms.purpose),
        "signatures": list(terms.signatures), "lenient": terms.lenient, "waived": terms.waived,
        "expires_at": None if terms.expires_at is None else _text(terms.expires_at),
    }  # fmt: skip


def _terms_of(said: Mapping[str, Any]) -> Terms:
    purpose, expires_at = said["purpose"], said["expires_at"]
    return Terms(**{
        **said,
        "purpose": None if purpose is None else Purpose(*purpose.split(":", 1)),
        "signatures": tuple(said["signatures"]),
        "expires_at": None if expires_at is None else datetime.fromisoformat(expires_at),
    })  # fmt: skip


def _text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
