"""What `source check` says of a tree: how many reports, and what a few of them are about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ci_results import CollectError, Garbled, Observation

from .place import Entry, Place, key_of
from .reading import Reader
from .seen import Seen
from .walk import Steps, Walk

MOST_FOLDERS = 100
MOST_FILES = 1_000
SAMPLES = 3


class _EnoughError(Exception):
    """So many files will do."""


def check(place: Place, files: Sequence[str], reader: Reader) -> Iterator[str]:
    """Yield lines for an operator. Raises CollectError where the tree is not to be had."""
    found: list[Entry] = []

    def note(entry: Entry) -> Steps:
        if len(found) >= MOST_FILES:
            raise _EnoughError
        found.append(entry)
        yield from ()
        return True

    walk = Walk(place, tuple(files), Seen(None), note, most_folders=MOST_FOLDERS)
    troubles: list[str] = []
    enough = False
    try:
        troubles += [each.reason for each in walk.steps() if isinstance(each, Garbled)]
    except _EnoughError:
        enough = True
    least = "at least " if walk.cut or enough else ""
    yield f"{place}: {least}{len(found)} of {', '.join(files)}, in {least}{_many(walk.folders, 'folder')}"
    if walk.outside:
        yield f"not followed, for they lead elsewhere: {_many(walk.outside, 'link')}"
    yield from troubles[:SAMPLES]
    for entry in sorted(found, key=_newest_first, reverse=True)[:SAMPLES]:
        yield _sample(place, entry, reader)


def _newest_first(entry: Entry) -> tuple[str, str]:
    return entry.modified.isoformat() if entry.modified else "", entry.path


def _sample(place: Place, entry: Entry, reader: Reader) -> str:
    key = key_of(entry.path)
    results = 0
    about: set[str] = set()
    refused: list[str] = []
    try:
        with place.opened(entry.path) as opened:
            for seen in reader.read(entry.path, opened, None, wait=False):
                if isinstance(seen, Observation):
                    results += 1
                    about |= {f"{seen.item} ({seen.item_type})"} if len(about) < SAMPLES else set()
                else:
                    refused.append(seen.reason)
    except CollectError as err:
        return f"{key}: {err}"
    told = f"{key}: {_many(results, 'result')} for {', '.join(sorted(about))}" if results else key
    return f"{told}; to the quarantine: {refused[0]}" if refused else told


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
