"""Numbers that stand for a result's identity and content, and times as integers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from struct import unpack
from typing import Any
from zlib import crc32

import orjson

from ..domain.result import Result
from ..domain.run import Run

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_HALF = 1 << 63
_UNIT = "\x1f"


def to_us(time: datetime) -> int:
    """Return an aware time as microseconds since 1970 in UTC."""
    return (time - _EPOCH) // _MICROSECOND


def from_us(number: int) -> datetime:
    """Return microseconds since 1970 as an aware time in UTC."""
    return _EPOCH + number * _MICROSECOND


def to_text(number: int) -> str:
    """Return microseconds since 1970 as the store's text of a time: "2026-01-02T03:04:05.000000"."""
    return from_us(number).isoformat(timespec="microseconds")[:26]


def identity_base(source: str, run_key: str) -> int:
    """Return the upper half of the identities of one run: its results lie together in the index."""
    return (crc32(f"{source}{_UNIT}{run_key}".encode()) << 32) - _HALF


def identity(base: int, key: str) -> int:
    """Return the identity number of `key`; equal numbers are compared by their texts, never trusted."""
    return base | crc32(key.encode())


def digest_of_run(source: str, run: Run | None) -> Any:
    """Return the hash that the digests of all results of one run begin with: copy it and go on."""
    shared = (source,) if run is None else (source, run.key, run.ref_url, run.data)
    said = orjson.dumps(shared, option=orjson.OPT_SORT_KEYS)
    return blake2b(blake2b(said, digest_size=16).digest(), digest_size=8)


def content(result: Result, claimed: int | None) -> bytes:
    """Return what a result says beside its run: a repeat says the same."""
    said = orjson.dumps(
        (
            result.testcase, result.outcome, result.item, result.item_type, claimed, result.duration_s,
            result.note, result.ref_url, result.scenario, result.arch, result.data,
        ),
        option=orjson.OPT_SORT_KEYS,
    )  # fmt: skip
    return said + orjson.dumps(result.groups) if result.groups else said


def numbers(digests: Sequence[bytes]) -> tuple[int, ...]:
    """Return digests of 8 bytes as signed integers."""
    return unpack(f"<{len(digests)}q", b"".join(digests))


def record_digest(kind: str, key: str | None, raw: bytes, told: str | None = None) -> int:
    """Return the digest of a quarantined record: the same record again, told the same, is one row."""
    said = f"{kind}{_UNIT}{key}{_UNIT}{told or ''}".encode() + raw
    return int.from_bytes(blake2b(said, digest_size=8).digest(), "little", signed=True)
