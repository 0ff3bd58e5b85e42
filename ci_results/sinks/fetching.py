"""Fetch the files of a run from the source it ran at: bounded, below its own address, nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import IO
from urllib.parse import quote, urlsplit

from ..errors import SourceRefusedError, SourceTooLargeError, shown
from ..plugin.addresses import SourceAddress
from ..plugin.http import SourceSession

GONE = (404, 410)
_LISTED = "artifacts[relativePath]"


class LackingError(Exception):
    """A file will never be kept: it is gone, or too large; the message says which."""


def names(
    http: SourceSession, at: SourceAddress, run: str, files: Sequence[str], globs: Sequence[str], most: int
) -> list[str]:
    """Return what to fetch below the address `run`: `files`, and the artifacts of a Jenkins build that match.

    Raises CollectError.
    """
    found = list(files)
    if globs:
        try:
            listed = http.get_json(f"{run}api/json", tree=_LISTED)
        except SourceRefusedError as err:
            if err.status not in GONE:
                raise
            return found
        paths = [each.get("relativePath") for each in listed.get("artifacts", []) if isinstance(each, dict)]
        found += [
            f"artifact/{quote(path)}"
            for path in paths
            if isinstance(path, str) and any(fnmatchcase(path, glob) for glob in globs)
        ]
    return [name for name in found if at.covers(f"{run}{name}")][:most]


@contextmanager
def opened(http: SourceSession, url: str, most_bytes: int) -> Iterator[IO[bytes]]:
    """Give the body at `url`. Raises LackingError, CollectError, also while it is read."""
    try:
        with http.get_file(url, most_bytes) as file:
            if urlsplit(file.url).path != urlsplit(url).path:
                raise SourceRefusedError(f"{url}: leads to {shown(file.url)}, which may be a login page")
            yield file.stream
    except SourceRefusedError as err:
        if err.status in GONE:
            raise LackingError("not there any more") from err
        raise
    except SourceTooLargeError as err:
        raise LackingError(f"larger than max_file_bytes, {most_bytes}") from err
