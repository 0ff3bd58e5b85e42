"""Numbers that stand for a result's identity and content, and times as integers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import blake2b
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
    return _EPOCH + timedelta(microseconds=number)


def identity_base(source: str, run_key: str) -> int:
    """Return the upper half of the identities of one run: its results lie together in the index."""
    return (crc32(f"{source}{_UNIT}{run_key}".encode()) << 32) - _HALF


def identity(base: int, key: str) -> int:
    """Return the identity number of `key`; equal numbers are compared by their texts, never trusted."""
    return base | crc32(key.encode())


def content_base(source: str, run: Run | None) -> bytes:
    """Return what the digests of all results of one run begin with."""
    shared = (source,) if run is None else (source, run.key, run.ref_url, run.data)
    return blake2b(orjson.dumps(shared, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def content(base: bytes, result: Result, submitted: int | None) -> int:
    """Return the digest of what a result says, 64 bits: a repeat has the same."""
    said = orjson.dumps(
        (
            result.testcase, result.outcome, result.item, result.item_type, submitted, result.duration_s,
            result.note, result.ref_url, result.scenario, result.arch, result.data,
        ),
        option=orjson.OPT_SORT_KEYS,
    )  # fmt: skip
    return int.from_bytes(blake2b(base + said, digest_size=8).digest(), "little", signed=True)


def record_digest(kind: str, key: str | None, raw: bytes) -> int:
    """Return the digest of a quarantined record: the same record again is one row."""
    said = f"{kind}{_UNIT}{key}{_UNIT}".encode() + raw
    return int.from_bytes(blake2b(said, digest_size=8).digest(), "little", signed=True)
