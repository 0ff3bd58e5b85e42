"""The tables of a bundle, what they are called by, and the digests of their rows."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import sqlite_utils

from ...errors import InvalidError, StoreError

FORMAT = 1
SEAL = "_seal"
Row = tuple[Any, ...]


class Table(NamedTuple):
    """One table: its columns with their types, and how many of them, from the first on, name a row."""

    name: str
    columns: dict[str, Any]
    keys: int = 1


_SCOPE: dict[str, type] = {
    "subject_type": str, "subject": str, "testcase": str, "product_version": str, "scenario": str,
    "arch": str, "purpose": str,
}  # fmt: skip
TABLES = (
    Table("bundle", {"key": str, "value": str}),
    Table("subject", {"subject_type": str, "subject": str}, 2),
    Table(
        "result",
        {
            "id": int, "time": str, "outcome": str, "testcase": str, "item": str, "item_type": str,
            "scenario": str, "arch": str, "duration_s": float, "note": str, "ref_url": str, "source": str,
            "run": str, "key": str, "data": str, "seq": int, "superseded_by": int, "signature": str,
        },
    ),
    Table(
        "waiver",
        {
            "id": int, **_SCOPE, "standing": str, "username": str, "proxied_by": str, "approved_by": str,
            "comment": str, "granted_at": str, "expires_at": str, "lenient": int, "waived": int,
        },
    ),
    Table(
        "waiver_event",
        {
            "id": int, "time": str, "waiver": int, "step": str, "turn": str, "refused": str,
            "username": str, "proxied_by": str, "via": str, "comment": str, **_SCOPE, "seq": int,
            "hash": str, "before": str, "said": str,
        },
    ),
    Table("policy_file", {"file": str, "sha256": str, "text": str}),
    Table("policy", {"file": str, "line": int, "id": str, "digest": str}, 2),
    Table(
        "decision",
        {
            "id": int, "time": str, "subject_type": str, "subject": str, "product_version": str,
            "decision_context": str, "purposes": str, "verdict": str, "summary": str, "as_of": int,
            "policies_digest": str, "proof": str,
        },
    ),
    Table(
        "recorded_decision",
        {
            "id": int, "time": str, "subject_type": str, "subject": str, "product_version": str,
            "decision_context": str, "number": int, "verdict": str, "old_verdict": str, "summary": str,
            "cause": str, "as_of": int, "policies_digest": str, "proof": str,
        },
    ),
    Table(
        "plan",
        {
            "name": str, "version": int, "item_type": str, "item": str, "actor": str, "imported_at": str,
            "cases": str,
        },
        2,
    ),
)  # fmt: skip
VIEWS = {
    "latest_result": """\
select r.* from result r where r.superseded_by is null and not exists (
    select 1 from result n
    where n.item = r.item and n.item_type = r.item_type and n.testcase = r.testcase
      and n.scenario = r.scenario and n.arch = r.arch and n.superseded_by is null
      and (n.time, n.id) > (r.time, r.id))""",
    "active_waiver": "select * from waiver where standing = 'active'",
    "approval": """\
select id, time, waiver, username, proxied_by, comment from waiver_event
where step = 'approve' and refused is null""",
}
Rows = Mapping[str, Sequence[Row]]
"""Rows by table; a table that is left out has none."""


def write(file: Path, rows: Rows, seal: bytes) -> None:
    """Write a bundle, at once: the same rows and seal give the same bytes. Raises StoreError."""
    try:
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{file.name}.") as folder:
            made = Path(folder) / "bundle"
            database = sqlite_utils.Database(made)
            for table in TABLES:
                database.table(table.name).create(table.columns, pk=list(table.columns)[: table.keys])
                names = ", ".join(table.columns)
                marks = ", ".join("?" for _ in table.columns)
                database.conn.executemany(
                    f"insert into {table.name} ({names}) values ({marks})", rows.get(table.name, ())
                )
            for name, sql in VIEWS.items():
                database.create_view(name, sql)
            database.table(SEAL).create({"statement": str, "envelope": str})
            database.conn.execute(f"insert into {SEAL} (envelope) values (?)", (seal.decode(),))
            database.conn.commit()
            database.vacuum()
            database.close()
            os.replace(made, file)
    except (OSError, sqlite3.Error) as err:
        raise StoreError(f"{file}: cannot be written: {err}") from err


def read(file: Path) -> sqlite3.Connection:
    """Open a bundle to read. Raises InvalidError for a file that is none."""
    try:
        with file.open("rb") as opened:
            head = opened.read(100)
            size = opened.seek(0, os.SEEK_END)
    except OSError as err:
        raise InvalidError(f"{file}: cannot be read: {err.strerror or err}") from err
    if not head.startswith(b"SQLite format 3\0") or len(head) < 100:
        raise InvalidError(f"{file}: is no bundle: no SQLite file")
    page = int.from_bytes(head[16:18], "big")  # the head of a SQLite file says how long it is
    whole = (65_536 if page == 1 else page) * int.from_bytes(head[28:32], "big")
    if size != whole:
        raise InvalidError(f"{file}: is no whole bundle: it has {size} bytes, and should have {whole}")
    return sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro&immutable=1", uri=True)


def schema(connection: sqlite3.Connection) -> dict[str, str]:
    """Return the digest of each table, view, index and trigger, by its name. Raises sqlite3.Error."""
    found = connection.execute("select type, name, tbl_name, sql from sqlite_master order by name")
    return {str(row[1]): _digest(row) for row in found}


def rows_of(connection: sqlite3.Connection, table: Table) -> Iterator[Row]:
    """Yield the rows of a table, in order. Raises sqlite3.Error."""
    names = list(table.columns)
    order = ", ".join(names[: table.keys])
    yield from connection.execute(f"select {', '.join(names)} from {table.name} order by {order}")


def digests(rows: Iterable[Row], table: Table) -> dict[str, str]:
    """Return the digest of each row, by what names it: {"4711": "9f86..."}."""
    return {name_of(row, table): _digest(row) for row in rows}


def name_of(row: Row, table: Table) -> str:
    """Return what a row is called by."""
    return " ".join(map(str, row[: table.keys]))


def _digest(row: Row) -> str:
    said = orjson.dumps(row, default=lambda value: {"blob": value.hex()})
    return hashlib.sha256(said).hexdigest()
