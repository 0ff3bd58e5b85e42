"""Export results as Parquet: a folder for each month and namespace, written anew where something changed.

DIR/month=2026-03/namespace=baseos/results.parquet
DIR/export.json        which commit the files are of, and the months that are still to do
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson
from filelock import FileLock, Timeout

from ..errors import BusyError, ConfigError, StoreError
from ..query.dialect import POSTGRES, SQLITE
from ..store.copying import Told
from ..store.exporting import Exported, months, newest, of_month
from ..store.opening import is_postgres, migrate_store
from .copy import side

if TYPE_CHECKING:
    import pyarrow

ROWS = 50_000
"""Rows of one group of a file, which is in memory as columns."""

AT_ONCE = 5_000
"""Rows that are read at once."""

LONGEST = 120
_STATE, _NEW, _OLD, _NONE = "export.json", ".new", ".old", "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an export has got: `seq` is the last commit that it has seen, `months` are still to do."""

    seq: int = 0
    months: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class ParquetExport:
    """What an export wrote: rows by month. A month that lost nothing and got nothing is not written."""

    seq: int
    rows: dict[str, int] = field(default_factory=dict)
    files: int = 0


def export_parquet(url: str, folder: Path, tell: Told = lambda what, done, total: None) -> ParquetExport:
    """Bring `folder` up to what the store at `url` holds now; interrupted, the next call goes on.

    Raises ConfigError without pyarrow, BusyError where another export is at it, StoreError.
    """
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as err:
        raise ConfigError("Parquet needs pyarrow: pip install ci-results[parquet]") from err
    migrate_store(url)
    with _held(folder):
        before = _state(folder)
        with side(url).reading() as reading:
            seq = newest(reading)
            if seq < before.seq:
                raise StoreError(
                    f"{folder} holds what another store has (commit {before.seq}): choose another"
                )
            todo = sorted({*before.months, *months(reading, before.seq)})
        _note(folder, Progress(seq=seq, months=tuple(todo)))
        export = ParquetExport(seq=seq)
        for number, month in enumerate(todo):
            tell(month, number, len(todo))
            _month(url, folder, month, export)
            _note(folder, Progress(seq=seq, months=tuple(todo[number + 1 :])))
        return export


def _month(url: str, folder: Path, month: str, export: ParquetExport) -> None:
    """Write a month beside what is there, and put it in its place."""
    new, place = folder / f"{_NEW}-{month}", folder / f"month={month}"
    shutil.rmtree(new, ignore_errors=True)
    dialect = POSTGRES if is_postgres(url) else SQLITE
    count = 0
    with side(url).reading() as reading:
        for namespace, rows in groupby(of_month(reading, month, dialect), key=lambda row: row.namespace):
            part = new / f"namespace={_folder_name(namespace)}"
            part.mkdir(parents=True)
            count += _write(part / "results.parquet", rows)
            export.files += 1
    old = folder / f"{_OLD}-{month}"
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    if count:
        new.rename(place)
    shutil.rmtree(old, ignore_errors=True)
    export.rows[month] = count


def _write(path: Path, rows: Iterator[Exported]) -> int:
    """Write one file, a group of rows at a time; return how many rows."""
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    schema, count = _schema(), 0
    with ParquetWriter(path, schema, compression="zstd") as writer:
        batches = _batches(rows, schema)
        while group := list(islice(batches, ROWS // AT_ONCE)):
            writer.write_table(pyarrow.Table.from_batches(group, schema))
            count += sum(batch.num_rows for batch in group)
    return count


def _batches(rows: Iterator[Exported], schema: pyarrow.Schema) -> Iterator[pyarrow.RecordBatch]:
    """Turn rows into columns, a few at a time: as Python has them they are ten times as large."""
    import pyarrow

    while part := list(islice(rows, AT_ONCE)):
        columns = list(zip(*part, strict=True))[1:]  # the namespace is in the path
        arrays = [pyarrow.array(column, kind.type) for column, kind in zip(columns, schema, strict=True)]
        yield pyarrow.RecordBatch.from_arrays(arrays, schema=schema)


def _schema() -> pyarrow.Schema:
    """Return the columns: those of Exported but the first. Times are UTC, without a zone, as in the views."""
    import pyarrow

    numbers, times = ("id", "seq", "superseded_by"), ("time", "submit_time", "received_at")
    kinds: dict[str, Any] = {
        **dict.fromkeys(numbers, pyarrow.int64()),
        **dict.fromkeys(times, pyarrow.timestamp("us")),
        "duration_s": pyarrow.float64(),
    }
    return pyarrow.schema([(name, kinds.get(name, pyarrow.string())) for name in Exported._fields[1:]])


def _folder_name(namespace: str) -> str:
    """Return what a partition of that namespace is called; a long name is cut, and told apart by a hash.

    >>> _folder_name("a/b"), _folder_name("")
    ('a%2Fb', '__HIVE_DEFAULT_PARTITION__')
    """
    name = quote(namespace, safe="") or _NONE
    if len(name) <= LONGEST:
        return name
    return f"{name[:LONGEST].rpartition('%')[0] or name[:LONGEST]}-{sha256(name.encode()).hexdigest()[:16]}"


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock", timeout=0, is_singleton=False)
    try:
        lock.acquire()
    except Timeout as err:
        raise BusyError(f"{folder}: another export is writing there") from err
    try:
        yield
    finally:
        lock.release()


def _state(folder: Path) -> Progress:
    """Return how far the folder has got. Raises StoreError where it is somebody else's."""
    path = folder / _STATE
    if not path.exists():
        if any(not name.name.startswith(".") for name in folder.iterdir()):
            raise StoreError(f"{folder}: holds something else than an export; choose another folder")
        return Progress()
    try:
        said = orjson.loads(path.read_bytes())
        return Progress(seq=int(said["seq"]), months=tuple(map(str, said["months"])))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as err:
        raise StoreError(f"{path}: is damaged; take the folder away and export anew") from err


def _note(folder: Path, progress: Progress) -> None:
    path = folder / f"{_NEW}-{_STATE}"
    path.write_bytes(orjson.dumps(asdict(progress)))
    path.replace(folder / _STATE)
