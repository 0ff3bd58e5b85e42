"""Observation: one test run as its source tells it, before we translate anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ..errors import InvalidError, shown
from .run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One test run, finished or not, in the source's own words.

    key         unique and stable within the source (within `run`, where one is given): a second
                harvest yields the same one
    testcase    namespaced name: "baseos.tier1.openssl"
    outcome     the source's word ("UNSTABLE"); normalise() turns it into an Outcome
    item        what was tested ("bash-5.2-1.el9"), of kind `item_type` ("koji_build")
    time        when the run ended, with its zone; None = when we received it
    duration_s  seconds, or None
    ref_url     where a person reads more; http or https
    note        free text for people
    scenario    the variant it ran in ("uefi"); arch: the architecture ("x86_64")
    parent      key of the observation (same run) whose part this is; None = no parent
    data        further attributes: a value is a text or several
    run         what it shares with its neighbours
    """

    key: str
    testcase: str
    outcome: str
    item: str
    item_type: str
    time: datetime | None = None
    duration_s: float | None = None
    ref_url: str | None = None
    note: str | None = None
    scenario: str | None = None
    arch: str | None = None
    parent: str | None = None
    data: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    run: Run | None = None

    def __post_init__(self) -> None:
        if not self.key:
            raise InvalidError(f"an observation needs a key, got {shown(self.key)}")
        if self.time is not None and self.time.tzinfo is None:
            raise InvalidError(f"time of {shown(self.key)} has no zone: {shown(self.time)}")


class Draft:
    """An Observation being filled in, for readers that make 100,000 a second; else construct it.

    Set every field, then `draft.__class__ = Observation`: the two have the same slots, which is what
    lets Python change the class of an object. That runs no check, so the reader answers for a key
    that is not empty and a time that has a zone. A frozen dataclass's own constructor costs 2.5 us, ten times
    as much: it sets each of 14 fields through `object.__setattr__`.
    """

    __slots__ = Observation.__slots__
