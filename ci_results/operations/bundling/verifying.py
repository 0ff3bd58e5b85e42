"""Verify a bundle, offline: the signature, each row, and the chain of waiver events."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ...errors import InvalidError
from ...waive.chain import GENESIS, link_said
from . import tables
from .sealing import PAYLOAD, PREDICATE, STATEMENT, Key, signed_by
from .tables import TABLES

_SHOWN = ("id", "seq", "waiver", "step", "turn", "refused", "username", "proxied_by", "via", "comment")
"""Columns of an event that show what it says."""
_MOST = 100
"""Rows of one table that are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What came of it.

    problems  what was altered, added or is missing, a sentence each
    signers   ids of the keys that signed it; `trusted`: those of them that were given, and hold
    rows      how many rows of each table there are
    """

    problems: tuple[str, ...]
    signers: tuple[str, ...]
    trusted: tuple[str, ...]
    rows: Mapping[str, int]


def verify(file: Path, keys: Sequence[Key] = (), published: Mapping[int, str] | None = None) -> Verified:
    """Check a bundle against its statement, that against `keys`, and its waiver events against their hashes.

    published  hashes of waiver events that were seen elsewhere, by number

    Raises InvalidError for a file that is no bundle.
    """
    connection = tables.read(file)
    try:
        return _verify(file, connection, keys, published or {})
    except sqlite3.Error as err:
        raise InvalidError(f"{file}: is no whole bundle: {err}") from err
    finally:
        connection.close()


def _verify(
    file: Path, connection: sqlite3.Connection, keys: Sequence[Key], published: Mapping[int, str]
) -> Verified:
    present = {row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")}
    if tables.SEAL not in present:
        raise InvalidError(f"{file}: is no bundle: it has no seal")
    sealed = connection.execute(f"select envelope from {tables.SEAL}").fetchall()
    try:
        if len(sealed) != 1:
            raise InvalidError(f"it has {len(sealed)} seals")
        envelope = orjson.loads(sealed[0][0])
        signers = tuple(str(each["keyid"]) for each in envelope["signatures"])
        said = _predicate(envelope)
        trusted = tuple(signed_by(envelope, keys)) if keys else ()
    except (ValueError, TypeError, KeyError, AttributeError) as err:
        told = f"the seal cannot be read: {type(err).__name__}: {err}"
        return Verified(problems=(told,), signers=(), trusted=(), rows={})
    problems = list(_structure(connection, said.get("schema", {})))
    counts = {}
    for table in TABLES:
        if table.name not in present:
            continue
        wanted = dict(said.get("rows", {}).get(table.name, {}))
        counts[table.name] = 0
        found: list[str] = []
        for row in tables.rows_of(connection, table):
            counts[table.name] += 1
            ((name, digest),) = tables.digests([row], table).items()
            sealed_as = wanted.pop(name, None)
            if sealed_as is None:
                found.append(f"{table.name}: row {name} was added")
            elif sealed_as != digest:
                found.append(f"{table.name}: row {name} was altered")
        found += [f"{table.name}: row {name} is missing" for name in wanted]
        problems += _few(found, table.name)
    if "waiver_event" in present:
        problems += _few(list(_chain(connection, published)), "waiver_event")
    if keys and not trusted:
        problems.insert(0, "none of the keys given signed this, or what was signed is not what is here")
    return Verified(problems=tuple(problems), signers=signers, trusted=trusted, rows=counts)


def _predicate(envelope: Mapping[str, Any]) -> dict[str, Any]:
    statement = orjson.loads(base64.b64decode(envelope["payload"], validate=True))
    kinds = envelope["payloadType"], statement["_type"], statement["predicateType"]
    if kinds != (PAYLOAD, STATEMENT, PREDICATE):
        raise ValueError(f"it is a {kinds[2]} in a {kinds[0]}, not a {PREDICATE}")
    predicate = statement["predicate"]
    if not isinstance(predicate, dict) or predicate["format"] != tables.FORMAT:
        raise ValueError("it is of another format than this version reads: use the version that wrote it")
    return predicate


def _structure(connection: sqlite3.Connection, wanted: Mapping[str, str]) -> Iterator[str]:
    found = tables.schema(connection)
    for name in sorted(set(found) | set(wanted)):
        if name not in wanted:
            yield f"{name} was added to the schema"
        elif name not in found:
            yield f"{name} is missing from the schema"
        elif found[name] != wanted[name]:
            yield f"{name} was altered in the schema"


def _chain(connection: sqlite3.Connection, published: Mapping[int, str]) -> Iterator[str]:
    """Find events whose hash is not that of what they say, or that do not follow each other."""
    (table,) = [each for each in TABLES if each.name == "waiver_event"]
    before: tuple[int, str] = (0, GENESIS)
    for row in tables.rows_of(connection, table):
        event = dict(zip(table.columns, row, strict=True))
        number = event["id"]
        try:
            said = orjson.loads(event["said"])
            good = link_said(event["before"], said) == event["hash"]
        except (ValueError, TypeError):
            good = False
        if not good:
            yield f"waiver_event: row {number} was altered: its hash is not that of what it says"
        elif any(said.get(name) != event[name] for name in _SHOWN):
            yield f"waiver_event: row {number} shows other values than it says"
        if number == before[0] + 1 and event["before"] != before[1]:
            yield f"waiver_event: row {number} does not follow row {before[0]}"
        if published.get(number, event["hash"]) != event["hash"]:
            yield f"waiver_event: row {number} is not the one that was published with that number"
        if published.get(number - 1, event["before"]) != event["before"]:
            yield f"waiver_event: row {number} follows another event than was published"
        before = (number, event["hash"]) if isinstance(number, int) else before


def _few(found: list[str], table: str) -> list[str]:
    more = len(found) - _MOST
    return [*found[:_MOST], f"{table}: and {more} more"] if more > 0 else found
