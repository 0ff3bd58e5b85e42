"""Sort out a page before it is written: number its results, tell new from same, say who is current. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import groupby
from typing import Any

from ..domain.page import Noted, Page
from ..domain.result import Result
from ..errors import BusyError, InvalidError, ReusedKeyError, StaleError, shown
from .fresh import Fresh, Gone, Numbered, Seen, Shared, rank
from .identity import digest_of_run, digests, hash_of_key, identities, identity_base, to_us


class Commons:
    """What the results of each run of a page share; equal runs are one, whoever made the objects."""

    def __init__(self) -> None:
        self._by_content: dict[bytes, Shared] = {}
        self._by_run: dict[str, Shared] = {}
        self._gone: dict[Gone, int] = {}

    def of(self, result: Result) -> Shared:
        """Return what `result` shares."""
        run = result.run
        digest = digest_of_run(result.source, run)
        content = digest.digest()
        common = self._by_content.get(content)
        if common is None:
            base = None if run is None else identity_base(result.source, run.key)
            common = self._by_content[content] = Shared(run, base, digest)
            common.known = self._by_run.setdefault("" if run is None else run.key, common).known
            common.gone = self._gone
        return common

    def recall(self, stored: Iterable[Sequence[Any]]) -> None:
        """Enter what the store has of the page's identities: rows of KNOWN.

        That identity numbers are equal proves nothing; key and run key do, and of one that was pruned
        all three numbers together.
        """
        for key, run_key, digest, number, time, ranked, outcome, testcase, duration, new, hashed in stored:
            if key is None:
                self._gone[time, digest, bytes(hashed)] = number
                continue
            common = self._by_run.get(run_key)
            if common is not None:
                seen = Seen(number, digest, time, ranked, outcome, testcase, duration)
                seen.superseded = new is not None
                common.known.setdefault(key, []).append(seen)


def check_standing(page: Page, cursor: str | None, lease: str | None) -> None:
    """Hold a page against its source: raises BusyError or StaleError where that went on without it."""
    if page.lease is not None and lease != page.lease:
        raise BusyError(f"the lease on source {page.source} went to another harvest")
    if page.cursor is not None and cursor != page.read_from:
        raise StaleError(f"source {page.source} moved on to {shown(cursor)} since {shown(page.read_from)}")


def check_once(page: Page, fresh: Fresh) -> None:
    """Raise ReusedKeyError where a page that may store its keys once brings other content for one."""
    if page.once and fresh.superseded:
        raise ReusedKeyError("the Idempotency-Key was used for another submission before")


def as_noted(found: Numbered, page: Page) -> Numbered:
    """Return `found` with the digests that another store noted, where one did."""
    return found if page.noted is None else found._replace(digests=page.noted.digests)


def numbered(results: Sequence[Result], commons: Commons) -> Numbered:
    """Return results with what they share, their identities, digests and claimed times."""
    shared: list[Shared] = []
    times: list[int | None] = []
    run: object = commons  # which is no run: those of one run, and of one time, mostly follow each other
    time: object = commons
    for result in results:
        if result.run is not run:
            run = result.run
            common = commons.of(result)
        if result.submit_time is not time:
            time = result.submit_time
            claimed = None if time is None else to_us(time)
        shared.append(common)
        times.append(claimed)
    bases = [
        identity_base(result.source, result.key) if common.base is None else common.base
        for result, common in zip(results, shared, strict=True)
    ]
    keys = [result.key for result in results]
    said = digests(results, [common.digest for common in shared], times)
    return Numbered(results, shared, identities(bases, keys), said, times)


def sort_out(
    found: Numbered,
    fresh: Fresh,
    now: int,
    testcases: Mapping[str, int],
    outcomes: Mapping[str, int],
    unfinished: AbstractSet[int],
) -> tuple[int, int]:
    """Enter what is new into `fresh`; return how many are the same, and how many supersede.

    Results of one run come to lie together: a walk along runs gives them in the order (rank, run, id),
    which then is that of (rank, id).
    """
    contested = _contested(found)
    same = superseding = 0
    rows: list[int] = []
    told: list[int] = []
    if contested:
        first = fresh.ids.start
        for row, (result, common, number, digest, claimed) in enumerate(zip(*found, strict=True)):
            if number not in contested:
                told.append(first + len(rows))
                rows.append(row)
                continue
            gone = common.gone.get((number, digest, hash_of_key(result.key))) if common.gone else None
            if gone is not None:
                told.append(gone)
                same += 1
                continue
            earlier = common.known.setdefault(result.key, [])
            repeated = next((one for one in earlier if one.digest == digest), None)
            if repeated is not None:
                told.append(repeated.id)
                same += 1
                continue
            seen = Seen(
                first + len(rows), digest, now if claimed is None else claimed, rank(claimed, now),
                outcomes[result.outcome], testcases[result.testcase], result.duration_s or 0.0,
            )  # fmt: skip
            told.append(seen.id)
            rows.append(row)
            if earlier:
                superseding += _supersede(fresh, earlier, seen, unfinished)
            earlier.append(seen)
    new = found.only(rows) if contested else found
    if contested:
        fresh.keep_signatures(rows)
    fresh.told = told if contested else range(fresh.ids.start, fresh.ids.start + len(new.results))
    order = _by_run(new.shared)
    if order is not None:
        new = new.only(order)
        fresh.keep_signatures(order)
        _renumber(fresh, order)
    fresh.bring(new, now, testcases, outcomes)
    return same, superseding


def put_in_place(
    found: Numbered,
    fresh: Fresh,
    noted: Noted,
    testcases: Mapping[str, int],
    outcomes: Mapping[str, int],
    unfinished: AbstractSet[int],
) -> tuple[int, int]:
    """Enter results that have their ids already, and who superseded whom where they come from.

    A partner that is not here (its line of a feed was damaged, say) supersedes nobody; when it comes
    after all, who is current is settled as it always is. Raises InvalidError where the store has the same
    under another id.
    """
    now = 0 if noted.received_at is None else to_us(noted.received_at)
    several: dict[tuple[int, str], list[Seen]] = {}
    for number, (result, common, _identity, digest, claimed) in enumerate(
        zip(*found, strict=True), start=noted.first_id
    ):
        its = common.known.setdefault(result.key, [])
        if any(one.digest == digest for one in its):
            raise InvalidError("a result of the same identity and content is stored under another id")
        its.append(
            Seen(
                number, digest, now if claimed is None else claimed, rank(claimed, now),
                outcomes[result.outcome], testcases[result.testcase], result.duration_s or 0.0,
            )
        )  # fmt: skip
        several[id(common.known), result.key] = its
    by_id = {one.id: one for its in several.values() for one in its}
    for old, new in noted.superseded:
        if old in by_id and new in by_id and not by_id[old].superseded:
            by_id[old].superseded = True
            fresh.superseded.append((old, new))
            fresh.dropped.append(by_id[old])
    for its in several.values():
        current = sorted((one for one in its if not one.superseded), key=lambda one: one.id)
        while len(current) > 1:
            _supersede(fresh, current[:1], current[1], unfinished)
            current = [one for one in current if not one.superseded]
    fresh.told = range(fresh.ids.start, fresh.ids.start + len(found.results))
    fresh.bring(found, now, testcases, outcomes)
    return 0, len(fresh.superseded)


def _by_run(shared: Sequence[Shared]) -> list[int] | None:
    """Return the places of results in the order of their runs; None where they are in it already."""
    if not shared or shared.count(shared[0]) == len(shared):
        return None
    runs = [run for run, _results in groupby(map(id, shared))]
    if len(runs) == len(set(runs)):
        return None
    first = {run: place for place, run in reversed(list(enumerate(runs)))}
    return sorted(range(len(shared)), key=lambda place: first[id(shared[place])])


def _renumber(fresh: Fresh, order: Sequence[int]) -> None:
    """Tell the ids that new results have once they are in this order."""
    start = fresh.ids.start
    moved = {start + old: start + new for new, old in enumerate(order)}
    fresh.told = [moved.get(number, number) for number in fresh.told]
    fresh.superseded = [(moved.get(old, old), moved.get(new, new)) for old, new in fresh.superseded]


def _contested(found: Numbered) -> AbstractSet[int]:
    """Return the identities that the page has several times, or whose keys the store knows."""
    contested: set[int] = set()
    if len(set(found.identities)) < len(found.identities):
        contested.update(number for number, n in Counter(found.identities).items() if n > 1)
    if any(common.known for common in set(found.shared)):
        contested.update(
            number
            for result, common, number in zip(found.results, found.shared, found.identities, strict=True)
            if result.key in common.known
        )
    if found.shared and (gone := found.shared[0].gone):
        contested.update({identity for identity, _digest, _key in gone}.intersection(found.identities))
    return contested


def _supersede(fresh: Fresh, earlier: list[Seen], new: Seen, unfinished: AbstractSet[int]) -> int:
    """Settle who is current: a finished run beats an unfinished one, else the later event does.

    What a page says it replaces is superseded in any case.
    """
    current = next(one for one in earlier if not one.superseded)
    ended, had_ended = (one.outcome not in unfinished for one in (new, current))
    later = new.event_time >= current.event_time if ended == had_ended else ended
    later = later or current.id in fresh.replaced
    old, kept = (current, new) if later else (new, current)
    old.superseded = True
    fresh.superseded.append((old.id, kept.id))
    fresh.dropped.append(old)
    return int(later)
