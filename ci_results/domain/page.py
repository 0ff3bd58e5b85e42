"""Page: what one transaction of a harvest stores; Committed: what became of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from .bus_message import BusMessage
from .garbled import Garbled
from .job import Job
from .result import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """What another store noted of the results of a page, which are to be stored as they are there.

    digests      of their contents, signatures: of their failures, in their order
    seq          the commit that they belong to; 0 = they get a new one, new ids and a time of receipt
    first_id     of the first of them; those of the others follow without gaps
    received_at  when that store got them
    superseded   pairs of ids, (old, new), of which the higher is one of them
    """

    digests: Sequence[int]
    signatures: Sequence[str | None]
    seq: int = 0
    first_id: int = 0
    received_at: datetime | None = None
    superseded: Sequence[tuple[int, int]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Results and quarantine of one source, with the cursor that they reach.

    door          how they came: "harvest", "report", "message", "api", "import"
    read_from     the cursor that the harvest began at (compare and set); None = from the start
    cursor        the cursor to set, or None to leave it: rows before a Checkpoint
    lease         token of the lease under which this is written, or None for doors without one
    jobs          what the source has at all, where the collector said
    groups        groups to create or to describe anew, by uuid: what is named is replaced, e.g.
                  {"4f1c...": {"description": "nightly"}}; those that results name are created without
    ref_urls      where testcases are described, by name: created if unknown, described anew
    testcases     names to create where unknown
    tell_ids      answer with the id of each result
    told          what the caller said of the records in `quarantine`, kept with each so that they can be
                  read again: {"item": "bash-5.2-1.fc40", "format": "junit"}; None = nothing
    messages      of a bus, that it brings: a message that is stored already brings nothing
    replaces      ids of stored results that these supersede, whatever their times: they are mapped anew
    noted         by another store, of which these results are a copy
    once          other content under a key that the store has is refused, instead of superseding
    """

    source: str
    results: Sequence[Result] = ()
    quarantine: Sequence[Garbled] = ()
    door: str = "harvest"
    read_from: str | None = None
    cursor: str | None = None
    lease: str | None = None
    jobs: Sequence[Job] = ()
    groups: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    ref_urls: Mapping[str, str | None] = field(default_factory=dict)
    testcases: Sequence[str] = ()
    tell_ids: bool = False
    once: bool = False
    told: Mapping[str, str] | None = None
    messages: Sequence[BusMessage] = ()
    replaces: Collection[int] = ()
    noted: Noted | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """Counts of one page (or, added up, of a harvest): `seq` is 0 where nothing was written.

    ids  of the page's results in order, a repeat's being the stored one's; () where not asked for.
         A preview tells 0 for what is not stored yet
    """

    seq: int = 0
    stored: int = 0
    same: int = 0
    superseding: int = 0
    quarantined: int = 0
    ids: tuple[int, ...] = ()

    def __add__(self, other: Committed) -> Committed:
        return Committed(
            seq=max(self.seq, other.seq),
            stored=self.stored + other.stored,
            same=self.same + other.same,
            superseding=self.superseding + other.superseding,
            quarantined=self.quarantined + other.quarantined,
            ids=self.ids + other.ids,
        )
