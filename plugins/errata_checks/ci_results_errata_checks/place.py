"""A tree of reports, the same whether it lies on disk or behind HTTP.

What a place cannot give it says by a CollectError; one of status 404 means that the thing is gone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Protocol
from urllib.parse import quote, unquote_to_bytes

GONE = 404
Wanted = Callable[[str], bool]
"""Says of the path of a file whether anybody wants it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a listing says of a file or a folder.

    path      from the root: "bash-5.2-1.fc40/rpmgrill.json"; bytes that are no UTF-8 are surrogates
    stamp     another one when it has changed (of its time and size); "" = the listing tells neither
    modified  when it was last changed, where the listing tells
    """

    path: str
    folder: bool = False
    stamp: str = ""
    modified: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A report being read.

    stream    its bytes; it can be read again from its start
    modified  when it was last changed, to the second, where anybody says
    age_s     how long ago that was, by the clock of the place; None = nobody says
    steady    says, once it was read, whether what was read is what its stamp stands for
    """

    stream: IO[bytes]
    modified: datetime | None
    age_s: float | None
    steady: Callable[[], bool]


class Listing(Protocol):
    """What one folder holds; hidden things and links are left out.

    digest   tells listings apart, b"" where a folder cannot lie in itself; known after all names
    outside  how many links it had that lead elsewhere; odd: records that say nothing, as bytes.
             Both are known after all entries
    """

    digest: bytes
    outside: int
    odd: list[bytes]

    def names(self) -> Iterator[str]:
        """Yield the paths of its files."""

    def entries(self, wanted: Wanted) -> Iterator[Entry]:
        """Yield its folders, and its files that are wanted. Raises CollectError."""


class Place(Protocol):
    """Where the tree is."""

    def listing(self, path: str) -> AbstractContextManager[Listing]:
        """Give the listing of a folder, "" is the root. Raises CollectError."""

    def opened(self, path: str) -> AbstractContextManager[Opened]:
        """Open a file. Raises CollectError."""

    def stamp(self, path: str) -> str:
        """Ask for the stamp of a file whose listing tells none; "" = nobody knows. Raises CollectError."""

    def expect(self, path: str, *, folder: bool) -> None:
        """Be told what is asked for soon, a file or a listing: a bounded number of them is fetched ahead."""

    def close(self) -> None:
        """Let go of what was fetched ahead and not asked for."""

    def link(self, path: str) -> str | None:
        """Return where a person sees the file."""


def key_of(path: str) -> str:
    """Write a path as a key that can be stored and printed, and that `path_of` reads.

    >>> key_of("a b/r\\udcff\\x07%.json"), key_of("žluť.json")
    ('a b/r%FF%07%25.json', 'žluť.json')
    """
    if path.isprintable() and "%" not in path:
        return path
    return "".join(char if char.isprintable() and char != "%" else _escaped(char) for char in path)


def path_of(key: str) -> str:
    """Read what `key_of` wrote.

    >>> path_of("a b/r%FF%07%25.json")
    'a b/r\\udcff\\x07%.json'
    """
    return re.sub(
        r"(?:%[0-9A-F]{2})+",
        lambda found: unquote_to_bytes(found[0]).decode("utf-8", "surrogateescape"),
        key,
    )


def quoted(path: str) -> str:
    """Write a path as a part of an address."""
    return quote(path.encode("utf-8", "surrogateescape"), safe="/~")


def _escaped(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogateescape"))
