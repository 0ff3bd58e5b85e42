"""Audit: whether the chain of waiver events is whole, and a copy of it that anybody can check."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from ..errors import InvalidError, shown
from ..store.waivers import WaiverLog
from ..waive.chain import Head, described, faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """What an audit found: the end of the chain, and what is wrong, a sentence each; none = it is whole."""

    head: Head
    problems: tuple[str, ...] = ()


def verify(log: WaiverLog, published: Mapping[int, str]) -> Audited:
    """Compute every hash anew and compare; `published` are hashes seen elsewhere, by number of the event."""
    head = log.head()  # what is appended meanwhile comes after it
    events = (event for event in log.events() if event.id <= head.id)
    found = list(faults(events, head, published))
    if silent := log.silent():
        found.append(f"{silent} commits in the outbox stand for waiver events that are gone")
    return Audited(head=head, problems=tuple(found))


def export(log: WaiverLog) -> Iterator[bytes]:
    """Yield a line of JSON for each event, in order, with its hash."""
    for event in log.events():
        yield orjson.dumps({**described(event), "hash": event.hash}, option=orjson.OPT_SORT_KEYS) + b"\n"


def read_published(lines: Iterable[bytes | str], name: str) -> dict[int, str]:
    """Read hashes by number from an export, or from messages: objects with `id` and `hash`.

    Raises InvalidError that names the line.
    """
    found: dict[int, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            said: Any = orjson.loads(line)
        except orjson.JSONDecodeError as err:
            raise InvalidError(f"{name}, line {number}: no JSON: {err}") from err
        if not isinstance(said, dict) or type(said.get("id")) is not int or type(said.get("hash")) is not str:
            raise InvalidError(f"{name}, line {number}: no object with id and hash: {shown(line)}")
        if found.setdefault(said["id"], said["hash"]) != said["hash"]:
            raise InvalidError(f"{name}, line {number}: event {said['id']} has two hashes")
    return found
