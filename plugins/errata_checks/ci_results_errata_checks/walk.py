"""Walk a tree of reports, a listing at a time; what is held grows with its depth, not with its size."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from ci_results import CollectError, Garbled, SourceUnavailableError
from ci_results import Seen as Yielded

from .place import GONE, Entry, Listing, Place, key_of
from .seen import Seen

MAX_DEPTH = 32
AWAY_IN_A_ROW = 3
Steps = Generator[Yielded, None, bool]
"""Yields for the harvest, and returns whether all is done with: read, and not to be read again."""


class Walk:
    """One walk over the tree; `visit` reads a file.

    files   globs of names: of one folder, the files of the first glob that any matches are visited
    closed  a folder without folders, which its listing shows unchanged for so long, is walked once; one with
            folders does not change when something new comes into those
    ahead   so many entries of a listing are looked at before they are visited, and expected of the place
    most_folders  more are not entered; `cut` says that it came to that

    What is away does not stop the walk, `AWAY_IN_A_ROW` of them do; `away` is the first error.
    """

    def __init__(
        self,
        place: Place,
        files: tuple[str, ...],
        seen: Seen,
        visit: Callable[[Entry], Steps],
        closed: timedelta | None = None,
        most_folders: int | None = None,
        ahead: int = 0,
    ) -> None:
        self._place, self._files, self._seen, self._visit = place, files, seen, visit
        self._closed_before = None if closed is None else datetime.now(UTC) - closed
        self._most_folders = most_folders
        self._ahead = ahead
        self.folders = 0
        self.outside = 0
        self.cut = False
        self.away: SourceUnavailableError | None = None
        self._away_in_a_row = 0
        self._had_folders = False

    def steps(self) -> Steps:
        """Walk it all. Raises CollectError where the root is not to be had, or the place is away."""
        return self._folder("", ())

    def put_off(self, err: SourceUnavailableError) -> None:
        """Leave what is away for the next harvest. Raises `err` where too much is."""
        self.away = self.away or err
        self._away_in_a_row += 1
        if self._away_in_a_row >= AWAY_IN_A_ROW:
            raise err

    def came(self) -> None:
        """Note that something is not away."""
        self._away_in_a_row = 0

    def _folder(self, path: str, above: tuple[bytes, ...]) -> Steps:
        if self._most_folders is not None and self.folders >= self._most_folders:
            self.cut = True
            return False
        self.folders += 1
        try:
            with self._place.listing(path) as listing:
                self.came()
                best = self._best(listing)
                if (listing.digest and listing.digest in above) or len(above) > MAX_DEPTH:
                    yield _odd(path, f"{key_of(path)}/: lists what a folder above lists, or lies too deep")
                    return False
                return (yield from self._list(path, listing, best, (*above, listing.digest)))
        except SourceUnavailableError as err:
            if not path:
                raise
            self.put_off(err)  # which raises it again where it comes from further below
            return False
        except CollectError as err:
            if not path or err.status == 401:
                raise
            if err.status != GONE:
                yield _odd(path, str(err))
            return False

    def _list(self, path: str, listing: Listing, best: dict[str, int], above: tuple[bytes, ...]) -> Steps:
        def wanted(file: str) -> bool:
            rank = self._rank(file)
            return rank is not None and rank == best.get(_folder_of(file))

        done, folders = True, False
        for entry in self._expected(listing.entries(wanted)):
            folders = folders or entry.folder
            steps = self._below(entry, above) if entry.folder else self._visit(entry)
            done = (yield from steps) and done
        self._had_folders = folders
        self.outside += listing.outside
        for record in listing.odd:
            yield _odd(path, f"{key_of(path)}/: a record of the index without a name", record)
        return done and not listing.odd

    def _expected(self, entries: Iterator[Entry]) -> Iterator[Entry]:
        """Pass entries on, having told the place of the new ones among those that follow."""
        coming: deque[Entry] = deque()
        for entry in entries:
            coming.append(entry)
            if self._ahead and entry.stamp:
                name = f"{entry.path}/" if entry.folder else entry.path
                passed = self._seen.knows(name, entry.stamp) and (self._closes(entry) or not entry.folder)
                if not passed:
                    self._place.expect(entry.path, folder=entry.folder)
            if len(coming) > self._ahead:
                yield coming.popleft()
        yield from coming

    def _closes(self, entry: Entry) -> bool:
        return (
            self._closed_before is not None
            and entry.modified is not None
            and entry.modified < self._closed_before
        )

    def _below(self, entry: Entry, above: tuple[bytes, ...]) -> Steps:
        closes = self._closes(entry)
        if closes and self._seen.knows(f"{entry.path}/", entry.stamp):
            return True
        done = yield from self._folder(entry.path, above)
        if closes and done and not self._had_folders:
            self._seen.add(f"{entry.path}/", entry.stamp)
        return done

    def _best(self, listing: Listing) -> dict[str, int]:
        """Return for each folder the first glob that any of its files matches."""
        best: dict[str, int] = {}
        for file in listing.names():
            rank = self._rank(file)
            if rank is not None and rank < best.get(_folder_of(file), len(self._files)):
                best[_folder_of(file)] = rank
        return best

    def _rank(self, file: str) -> int | None:
        name = file.rpartition("/")[2]
        return next((rank for rank, glob in enumerate(self._files) if fnmatchcase(name, glob)), None)


def _folder_of(path: str) -> str:
    return path.rpartition("/")[0]


def _odd(path: str, reason: str, raw: bytes = b"") -> Garbled:
    return Garbled(raw=raw or reason.encode("utf-8", "replace"), reason=reason, key=f"{key_of(path)}/")
