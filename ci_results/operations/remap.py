"""Remap: read messages again whose mapping was mended; what they say now supersedes what they said before.

Nothing is edited: a result that comes out otherwise is a new row, and the old one is superseded by it. What
comes out the same stays as it is. A result of which a later message has told something newer stays, too; one
that was pruned does not come back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Event
from typing import Any, NamedTuple

from ..collect.refine import tell_stored
from ..domain.page import Page
from ..domain.result import Result
from ..domain.stored import StoredResult
from ..errors import InvalidError, shown
from ..plugin.manager import Plugins
from ..store.protocol import Store
from ..store.remapped import ReadBefore
from .ingest import DOOR, Ingest, Taking, arrival_of


class Change(NamedTuple):
    """How a result comes out now; `before` is None for one that was not made before."""

    testcase: str
    before: str | None
    outcome: str
    same_name: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Remapping:
    """What is to be read again.

    mapping   name and version that reads now: "ci_metrics@2"; older versions have read what is taken
    since     messages that came from then on
    dry_run   store nothing, and tell what would change
    takings   how each bus is listened to, by its name; options: of readers, by theirs
    tell      gets how many messages were looked at
    """

    store: Store
    plugins: Plugins
    mapping: str
    since: datetime
    dry_run: bool = False
    takings: Mapping[str, Taking] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    vocabulary: Sequence[str] = ()
    stop: Event = field(default_factory=Event)
    tell: Callable[[int], None] = lambda messages: None


@dataclass(slots=True, kw_only=True)
class Remapped:
    """What became of messages.

    messages  that an older version had read; same: results that came out as before
    changes   how often a result came out otherwise, by testcase and outcome: before and now
    outdated  results that stay, for something newer told of them, or were pruned
    gone      results that the mapping makes no more: they stay current
    unread    messages that are as they were, and why: {"id-1": "is no JSON"}
    whole     all messages were looked at
    """

    messages: int = 0
    same: int = 0
    outdated: int = 0
    gone: int = 0
    changes: dict[Change, int] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    whole: bool = False


def remap(around: Remapping) -> Remapped:
    """Read again; see Remapping. Raises InvalidError for a mapping that is not installed in that version."""
    name, version = _installed(around)
    done = Remapped()
    for message in around.store.bus.read_before(name, version, around.since):
        if around.stop.is_set():
            return done
        done.messages += 1
        try:
            _again(around, message, done)
        except InvalidError as err:
            done.unread[message.key] = str(err)
        around.tell(done.messages)
    done.whole = True
    return done


def _installed(around: Remapping) -> tuple[str, int]:
    name, _at, version = around.mapping.rpartition("@")
    reader = around.plugins.messages.get(name)
    if reader is None or version != str(reader.version):
        known = ", ".join(f"{each.name}@{each.version}" for each in around.plugins.messages.values())
        raise InvalidError(f"no mapping {shown(around.mapping)} is installed; there are {known}")
    return name, reader.version


def _again(around: Remapping, message: ReadBefore, done: Remapped) -> None:
    """Read one message again, and store what came out otherwise. Raises InvalidError."""
    if message.raw is None:
        raise InvalidError("its bytes were more than keep_bytes of [listen], and are not kept")
    taking = around.takings.get(message.via, Taking(name=message.via))
    taking = replace(taking, source=message.source, announced=True, unread=True)
    ingest = Ingest(taking, around.plugins, around.options, around.vocabulary)
    page = ingest.prepare([arrival_of(message.raw, message.told)], again=True).page
    if page.quarantine:
        raise InvalidError(page.quarantine[0].reason)
    if not page.messages or page.messages[0].mapping != around.mapping:
        raise InvalidError(f"{around.mapping} does not read it any more")
    results = list(_to_store(around.store, page, message, done))
    kept = replace(page.messages[0], key=message.key, results=len(results))
    whole = replace(page, results=results, messages=[kept], replaces=frozenset(message.made.values()))
    if not around.dry_run:
        tell_stored(whole, around.store.commit_page(whole), around.plugins.hook)


def _to_store(store: Store, page: Page, message: ReadBefore, done: Remapped) -> list[Result]:
    """Return those results that came out otherwise, and count all."""
    before = {one.id: one for one in store.stored(list(message.made.values()))}
    told: list[Result] = []
    seen = set()
    for result in page.results:
        identity = ("" if result.run is None else result.run.key, result.key)
        seen.add(identity)
        gone = identity not in message.made and store.pruning.left(result)
        if gone or identity in message.outdated:
            done.outdated += 1
            continue
        dated = result if result.submit_time else replace(result, submit_time=message.received_at)
        known = _stored_as(store, result) or _stored_as(store, dated)
        if not known:
            told.append(dated)
            change = _change(result, before.get(message.made.get(identity, 0)))
            done.changes[change] = done.changes.get(change, 0) + 1
        elif known in message.made.values():
            done.same += 1
        else:
            raise InvalidError(f"it says again what result {known} said, which was superseded for good")
    done.gone += len(message.made.keys() - seen)
    return told


def _stored_as(store: Store, result: Result) -> int:
    """Return the id under which the store has the very same, 0 where it does not."""
    page = Page(source=result.source, door=DOOR, results=[result], tell_ids=True)
    return store.preview_page(page).ids[0]


def _change(result: Result, before: StoredResult | None) -> Change:
    if before is None:
        return Change(result.testcase, None, result.outcome)
    return Change(
        result.testcase, before.outcome, result.outcome, same_name=before.testcase == result.testcase
    )
