"""Submission: a result as a client posts it, read but not yet named for the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One posted result; what is not said is None or empty.

    outcome        one of the words of this installation
    groups         uuids, each once
    described      what the client says of groups, by uuid: replaces what is stored
    ref_urls       the testcase's own address, where the client names it: {"dist.rpmlint": None}
    data           key -> texts, in the client's order
    submit_time    aware; None = when it is received
    """

    outcome: str
    testcase: str
    groups: tuple[str, ...] = ()
    described: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    ref_urls: Mapping[str, str | None] = field(default_factory=dict)
    note: str | None = None
    ref_url: str | None = None
    data: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    submit_time: datetime | None = None
