"""What the quarantine's pages say: what could not be read, why, and the lines that were to blame."""

from __future__ import annotations

import json
from dataclasses import asdict

from ..operations.offending import excerpt
from .reading import Reader, Row

MOST = 200
LISTED = """
select id, source, door, kind, key, position, reason, raw_bytes, seen, received_at, resolved_at, resolution
from quarantine where :every or resolved_at is null order by id desc limit 201
"""
RECORD = """
select id, source, door, kind, key, position, reason, raw_bytes, seen, received_at, resolved_at, resolution,
    told
from quarantine where id = :id
"""
RAW = "select raw from _quarantine where id = :id"


def quarantine(reader: Reader, *, every: bool = False) -> Row:
    """Return the facts of the list: open records, newest first; with `every`, the resolved ones too."""
    records = reader.ask(LISTED, {"every": every})
    return {"every": every, "records": records[:MOST], "cut": len(records) > MOST}


def record(reader: Reader, number: int) -> Row | None:
    """Return one record with an excerpt of its raw bytes, or None where there is none."""
    found = reader.ask(RECORD, {"id": number})
    if not found:
        return None
    raw = raw_bytes(reader, number) or b""
    told = json.loads(found[0]["told"]) if found[0]["told"] else {}
    lines = excerpt(raw, found[0]["position"], piece="format" in told)
    return {**found[0], "told": told, "excerpt": [asdict(line) for line in lines]}


def raw_bytes(reader: Reader, number: int) -> bytes | None:
    """Return a record's bytes, untouched."""
    found = reader.ask(RAW, {"id": number})
    return bytes(found[0]["raw"]) if found else None
