"""Result: an observation in our words, ready to be stored; it never changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from .run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One result as `normalise` makes it and a store keeps it.

    source, run, key  its identity: (source, run.key or "", key)
    outcome           an Outcome or a word that the configuration adds
    submit_time       when the run ended, aware; None = when the store receives it
    data              own attributes, each a tuple of texts; those of all its run are in `run`
    item_parts        what else the item is known by: component, nvr, arch
    groups            uuids of the groups it belongs to, as in ResultsDB
    verbatim          `data` is all that is served: item, type, scenario and arch are not added to it
    """

    source: str
    key: str
    testcase: str
    outcome: str
    item: str
    item_type: str
    submit_time: datetime | None = None
    duration_s: float | None = None
    ref_url: str | None = None
    note: str | None = None
    scenario: str | None = None
    arch: str | None = None
    data: Mapping[str, tuple[str, ...]]
    run: Run | None = None
    item_parts: Mapping[str, str] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    verbatim: bool = False


class ResultDraft:
    """A Result being filled in, for the normaliser; see observation.Draft for why, and for `__class__`."""

    __slots__ = Result.__slots__
