"""Member: one file that was packed, copied to where it can be read twice."""

from __future__ import annotations

from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO

from .harness import Told

IN_MEMORY = 8 * 1024**2


@dataclass(frozen=True, slots=True)
class Member:
    """A file by the name that a person finds it under ("nightly.tar.gz!unit/junit.xml").

    stream  its bytes; seekable, closed by whoever gave it
    path    what the archive calls it, "" where there is none
    cut     why nothing comes behind them though more was there, None = it is whole
    told    what the archive tells of it
    """

    name: str
    stream: IO[bytes]
    path: str = ""
    cut: str | None = None
    told: Told | None = None


def spooled() -> SpooledTemporaryFile[bytes]:
    """Return an empty file without a name, in memory while it is small."""
    return SpooledTemporaryFile(max_size=IN_MEMORY)


def inside(archive: str, name: str) -> str:
    """Name a file in an archive; what would steer a terminal becomes `?`.

    >>> inside("a.zip", "../x\\x1b[2J.xml")
    'a.zip!../x?[2J.xml'
    """
    return f"{archive}!{''.join(char if char.isprintable() else '?' for char in name[:1000])}"
