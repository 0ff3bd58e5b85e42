"""Where report files come from: files, folders, standard input, addresses; each can be read twice."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from ...errors import NotFoundError
from ...plugin.http import SourceSession
from ..unpacking.member import spooled

SUFFIXES = frozenset(
    {
        *(".xml", ".json", ".js", ".sarif", ".tap", ".trx", ".txt", ".log", ".out"),
        *(".yaml", ".yml", ".csv", ".err", ".t"),
        *(".gz", ".bz2", ".xz", ".zst", ".tar", ".zip", ".tgz", ".tbz2", ".txz", ".tzst"),
    }
)
"""What a folder is searched for: a hint what may be a report. Whether it is one, its content tells."""

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One file to be read.

    named  by the caller itself, not found in a folder: then it is quarantined where nobody reads it
    size   in bytes, None where that is known only when it is open
    open   gives its bytes, seekable. Raises CollectError
    stays  whether it can be read again under its name later, as a file on disk can
    """

    name: str
    named: bool
    size: int | None
    open: Callable[[], AbstractContextManager[IO[bytes]]]
    stays: bool = False


def inputs(
    paths: Iterable[str], max_bytes: int, connect: Callable[[str], SourceSession] = SourceSession
) -> list[Input]:
    """Return the files of all arguments: files, folders (all below), "-" and addresses.

    max_bytes  that are fetched from one address
    connect    gives the session that fetches an address; it is told that address

    Raises NotFoundError for a path that is not there.
    """
    return [found for path in paths for found in _of(path, max_bytes, connect)]


def _of(path: str, max_bytes: int, connect: Callable[[str], SourceSession]) -> Iterator[Input]:
    if path.startswith(("http://", "https://")):
        fetch = partial(_fetched, path, max_bytes, connect)
        yield Input(name=_public(path), named=True, size=None, open=fetch)
        return
    start = Path(path)
    if path == "-":
        yield Input(name="-", named=True, size=None, open=_standard_input)
    elif start.is_dir():
        for file in sorted(start.rglob("*")):
            if file.is_file() and file.suffix.lower() in SUFFIXES:
                yield _file(file, named=False)
    elif start.is_file():
        yield _file(start, named=True)
    else:
        raise NotFoundError(f"no file or folder {path}")


def _file(file: Path, *, named: bool) -> Input:
    return Input(
        name=str(file), named=named, size=file.stat().st_size, open=lambda: file.open("rb"), stays=True
    )


def _public(url: str) -> str:
    """Return an address without what may be secret in it: user, password, query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


@contextmanager
def _fetched(url: str, max_bytes: int, connect: Callable[[str], SourceSession]) -> Iterator[IO[bytes]]:
    with connect(url) as session, spooled() as spool:
        with session.get_stream(url, max_bytes) as answer:
            _copy(answer, spool)
        yield spool


@contextmanager
def _standard_input() -> Iterator[IO[bytes]]:
    with spooled() as spool:
        _copy(sys.stdin.buffer, spool)
        yield spool


def _copy(stream: IO[bytes], into: IO[bytes]) -> None:
    while block := stream.read(_BLOCK):
        into.write(block)
    into.seek(0)
