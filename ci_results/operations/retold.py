"""Tell what a run says anew from what it said before, times aside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from ..domain.result import Result
from ..domain.stored import StoredResult
from ..query.results import ResultQuery
from ..store.protocol import Store
from .export import all_results

_FIELDS = frozenset({"item", "type", "scenario", "arch"})
"""Fields of a result that a store serves among its attributes too."""

_TIMES = frozenset({"timestamp"})
"""Attributes that hold times as the report wrote them."""


def said_by_run(store: Store, source: str, run: str) -> dict[str, bytes]:
    """Return by key what the current results of a run say; see what_it_says."""
    return {
        one.key: _said(one, one.scenario, one.arch, one.data)
        for one in all_results(store, ResultQuery(source=source, run=run))
        if one.superseded_by is None
    }


def what_it_says(result: Result) -> bytes:
    """Return a digest of what `result` says, but for when it ran, how long it took, and where to read on."""
    shared = dict(result.run.data) if result.run else {}
    return _said(result, result.scenario or "", result.arch or "", {**shared, **result.data})


def _said(one: Result | StoredResult, scenario: str, arch: str, data: Mapping[str, Any]) -> bytes:
    values = {
        name: [value] if isinstance(value, str) else list(value)
        for name, value in data.items()
        if name not in _FIELDS and name not in _TIMES
    }
    said = (one.testcase, one.outcome, one.item, one.item_type, one.note, scenario, arch, values)
    return blake2b(json.dumps(said, sort_keys=True).encode(), digest_size=16).digest()
