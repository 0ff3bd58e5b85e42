"""What a page brings that is new, column by column: sorted out but not yet written. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..domain.result import Result
from ..domain.run import Run


class Seen:
    """A result of which there are several, in the store or in the page: what supersession needs of it.

    event_time  when its run ended, in microseconds, as claimed; rank  what "latest" goes by
    """

    __slots__ = ("digest", "duration", "event_time", "id", "outcome", "rank", "superseded", "testcase")

    def __init__(
        self,
        number: int,
        digest: int,
        event_time: int,
        rank: int,
        outcome: int,
        testcase: int,
        duration: float,
    ) -> None:
        self.id = number
        self.digest = digest
        self.event_time = event_time
        self.rank = rank
        self.outcome = outcome
        self.testcase = testcase
        self.duration = duration
        self.superseded = False


Gone = tuple[int, int, bytes]
"""Identity, digest, hash of the key of a result that was pruned."""


class Shared:
    """What the results of one run have in common while a page is written.

    base    upper half of their identities; None: no run, so each has a base of its own
    digest  what their digests begin with: a hash to copy and go on with
    known   keys of which there are several results, in the store or in the page, and all of those
    gone    ids of results of the page's identities that were pruned
    """

    __slots__ = ("base", "digest", "gone", "known", "run")

    def __init__(self, run: Run | None, base: int | None, digest: Any) -> None:
        self.run = run
        self.base = base
        self.digest = digest
        self.known: dict[str, list[Seen]] = {}
        self.gone: Mapping[Gone, int] = {}


Kind = tuple[str, str, str | None, str | None]
"""Item, its type, scenario, architecture of a result."""


class Numbered(NamedTuple):
    """Results, and for each what it shares, its identity, its digest, and the time that it claims, if any."""

    results: Sequence[Result]
    shared: Sequence[Shared]
    identities: Sequence[int]
    digests: Sequence[int]
    claimed: Sequence[int | None]

    def only(self, rows: Sequence[int]) -> Numbered:
        """Return these rows alone."""
        return Numbered(*([column[row] for row in rows] for column in self))  # type: ignore[arg-type]


NOTHING = Numbered((), (), (), (), ())


class Fresh:
    """What a page brings: new results in order, who supersedes whom, and who no longer counts.

    new         the new results; `ids`, `ranks`, `outcomes` and `testcases` are of the same rows
    kinds       each Kind among them, with a result of it: a page of a file has one
    superseded  (id of the old, id of the one that is kept)
    dropped     what the days' counts have to leave out again
    told        the id of each of the page's results, that of the stored one for a repeat
    replaced    ids of stored results that are superseded in any case
    signatures  of the new results, where another store noted them; None = they are to be found
    """

    def __init__(self, first_id: int, source: int) -> None:
        self.source = source
        self.ids = range(first_id, first_id)
        self.new = NOTHING
        self.kinds: Mapping[Kind, Result] = {}
        self.ranks: Sequence[int] = ()
        self.outcomes: Sequence[int] = ()
        self.testcases: Sequence[int] = ()
        self.superseded: list[tuple[int, int]] = []
        self.dropped: list[Seen] = []
        self.told: Sequence[int] = ()
        self.signatures: Sequence[str | None] | None = None
        self.replaced: Collection[int] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def keep_signatures(self, rows: Sequence[int]) -> None:
        """Leave those of these rows, in this order."""
        if self.signatures is not None:
            self.signatures = [self.signatures[row] for row in rows]

    @property
    def last_id(self) -> int:
        """The highest id, or the one before the first where nothing is new."""
        return self.ids.stop - 1

    def bring(
        self, new: Numbered, now: int, testcases: Mapping[str, int], outcomes: Mapping[str, int]
    ) -> None:
        """Enter what is new, with the ids of its names."""
        self.new = new
        self.ids = range(self.ids.start, self.ids.start + len(new.results))
        self.kinds = kinds_of(new.results)
        ranks = {claimed: rank(claimed, now) for claimed in set(new.claimed)}
        if len(ranks) == 1:
            self.ranks = list(ranks.values()) * len(new.results)
        else:
            self.ranks = [ranks[claimed] for claimed in new.claimed]
        self.testcases = [testcases[result.testcase] for result in new.results]
        self.outcomes = [outcomes[result.outcome] for result in new.results]


def kinds_of(results: Iterable[Result]) -> dict[Kind, Result]:
    """Return each Kind with a result of it; those of one file share the texts, which are not hashed again."""
    kinds: dict[Kind, Result] = {}
    last: Result | None = None
    for one in results:
        if (
            last is None
            or one.item is not last.item
            or one.item_type is not last.item_type
            or one.scenario is not last.scenario
            or one.arch is not last.arch
        ):
            kinds[one.item, one.item_type, one.scenario, one.arch] = last = one
    return kinds


def stored_ids(fresh: Fresh) -> tuple[int, ...]:
    """Return the ids of a page's results that are stored already, 0 for those that are new."""
    return tuple(0 if number in fresh.ids else number for number in fresh.told)


def rank(claimed: int | None, now: int) -> int:
    """Return what "latest" goes by: the claimed time, but nothing later than now."""
    return now if claimed is None else max(0, min(now, claimed))
