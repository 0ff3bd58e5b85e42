"""Numbers that stand for a result's identity and content, and times as integers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b, sha256
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


def identities(bases: Iterable[int], keys: Sequence[str]) -> list[int]:
    """Return the identity numbers of keys; equal numbers are compared by their texts, never trusted."""
    return [base | number for base, number in zip(bases, map(crc32, map(str.encode, keys)), strict=True)]


def digest_of_run(source: str, run: Run | None) -> Any:
    """Return the hash that the digests of all results of one run begin with: copy it and go on."""
    shared = (source,) if run is None else (source, run.key, run.ref_url, run.data)
    said = orjson.dumps(shared, option=orjson.OPT_SORT_KEYS)
    return blake2b(blake2b(said, digest_size=16).digest(), digest_size=8)


def digests(
    results: Iterable[Result], begun: Iterable[Any], claimed: Iterable[int | None]
) -> tuple[int, ...]:
    """Return the digest of what each result says, a number of 64 bits: a repeat says the same.

    begun    for each what `digest_of_run` gave, claimed: the time that it claims, in microseconds
    """
    dumps, how = orjson.dumps, orjson.OPT_SORT_KEYS
    found: list[bytes] = []
    for result, of_run, time in zip(results, begun, claimed, strict=True):
        digest = of_run.copy()
        digest.update(
            dumps(
                (
                    result.testcase, result.outcome, result.item, result.item_type, time, result.duration_s,
                    result.note, result.ref_url, result.scenario, result.arch, result.data,
                ),
                None,
                how,
            )
        )  # fmt: skip
        if result.groups:
            digest.update(dumps(result.groups))
        found.append(digest.digest())
    return unpack(f"<{len(found)}q", b"".join(found))


def hash_of_key(key: str) -> bytes:
    """Return what is kept of the key of a result that was pruned; the SQL of `_pruned` makes the same."""
    return sha256(key.encode()).digest()[:16]


def record_digest(kind: str, key: str | None, raw: bytes, told: str | None = None) -> int:
    """Return the digest of a quarantined record: the same record again, told the same, is one row."""
    said = f"{kind}{_UNIT}{key}{_UNIT}{told or ''}".encode() + raw
    return int.from_bytes(blake2b(said, digest_size=8).digest(), "little", signed=True)
