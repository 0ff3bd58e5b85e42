"""What TAP::Harness::Archive writes beside the streams that it keeps: meta.yml tells times and exit codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any

from ...formats.yaml_records import yaml_records

META = "meta.yml"
SUFFIX = ".t"


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of one stream: which script wrote it, when that ended, and how (None = well)."""

    script: str
    ended: datetime | None
    exit_status: str | None


def is_archive(first: str) -> bool:
    """Say whether an archive may be one of them, from the name of its first file."""
    return is_meta(first) or first.endswith(SUFFIX)


def is_meta(name: str) -> bool:
    """Say whether this file of an archive is the one that tells of the others."""
    return name.rpartition("/")[2] == META


def read_meta(stream: IO[bytes]) -> dict[str, Told]:
    """Return what meta.yml tells, by script; what is not said well is not told."""
    told: dict[str, Told] = {}
    for path, record in yaml_records(stream, ("file_attributes", "[]")):
        if path and isinstance(record, dict) and isinstance(record.get("description"), str):
            script = record["description"]
            status = record.get("exit_status")
            bad = status if isinstance(status, str) and status != "0" else None
            told[script] = Told(script, _time(record.get("end_time")), bad)
    return told


def told_of(name: str, told: Mapping[str, Told]) -> Told | None:
    """Return what is told of a file in an archive, whose path is the script's, maybe below a folder."""
    found = told.get(name)
    return found or next((each for script, each in told.items() if name.endswith(f"/{script}")), None)


def _time(text: Any) -> datetime | None:
    """Read seconds since 1970, with a fraction."""
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
