"""A tree of reports behind HTTP: an index for each folder, or one JSON file that lists them all.

An index is what a stranger wrote. Only what lies below its own address is asked for: no other host, no
folder above, no way around by `..`.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import blake2b
from tempfile import SpooledTemporaryFile
from typing import IO
from urllib.parse import unquote_to_bytes, urljoin, urlsplit

import requests

from ci_results import SourceGarbledError, SourceRefusedError, SourceSession

from .ahead import Ahead, Fetched
from .index import HEAD_BYTES, Row, kind_of, rows_of_html, rows_of_json
from .place import Entry, Opened, Wanted, quoted

MAX_INDEX_BYTES = 256 << 20
MAX_REPORT_BYTES = 1 << 30
MAX_ODD = 100
"""More records without a name are one index that is none, and its first ones say so."""
_IN_MEMORY = 1 << 20
_PLAIN = re.compile(r"[A-Za-z0-9_~%+@,=-][A-Za-z0-9_~%+@,=.-]*/?", re.ASCII)
"""A name in the folder itself, as nearly all links of an index are: it need not be resolved."""
_COARSE_S = 120.0
"""An index tells minutes: a file may have changed once more within the same one."""


class Web:
    """An index and all below its address."""

    def __init__(self, url: str, http: SourceSession) -> None:
        self._http = http
        self._index = _as_sent(url if url.endswith(("/", ".json")) else f"{url}/")
        self._root = self._index[: self._index.rindex("/") + 1]
        self._flat = not self._index.endswith("/")
        self._ahead = Ahead(self._fetch, http.parallel)

    def __str__(self) -> str:
        return self._index

    @contextmanager
    def listing(self, path: str) -> Iterator[WebListing]:
        """Give the listing of a folder; see Place."""
        url = f"{self._root}{quoted(path)}/" if path else self._index
        fetched = self._ahead.take(url, MAX_INDEX_BYTES)
        with fetched.spool as spool:
            try:
                kind = kind_of(fetched.head, fetched.tail)
            except SourceGarbledError as err:
                raise SourceGarbledError(f"{url}: {err}") from err
            yield WebListing(spool, kind, url, path, flat=self._flat)

    @contextmanager
    def opened(self, path: str) -> Iterator[Opened]:
        """Fetch a file, and give the copy; see Place."""
        url = self._root + quoted(path)
        fetched = self._ahead.take(url, MAX_REPORT_BYTES)
        with fetched.spool as spool:
            headers = fetched.headers
            spool.seek(0)
            modified = _moment(headers.get("Last-Modified"))
            now = _moment(headers.get("Date")) or datetime.fromtimestamp(time.time(), UTC)
            age_s = None if modified is None else (now - modified).total_seconds()
            fresh = age_s is not None and abs(age_s) < _COARSE_S
            yield Opened(stream=spool, modified=modified, age_s=age_s, steady=lambda: not fresh)

    def stamp(self, path: str) -> str:
        """Ask for the head of a file; see Place."""
        answer = self._http.request("HEAD", self._root + quoted(path))
        return _stamp(answer.headers) if answer.ok else ""

    def link(self, path: str) -> str | None:
        """Return the address of the file."""
        return self._root + quoted(path)

    def expect(self, path: str, *, folder: bool) -> None:
        """Begin to fetch a file, or the listing of a folder, that will be asked for soon."""
        url = self._root + quoted(path)
        self._ahead.expect(f"{url}/" if folder else url, MAX_INDEX_BYTES if folder else MAX_REPORT_BYTES)

    def close(self) -> None:
        """Drop what was fetched ahead."""
        self._ahead.close()

    def _fetch(self, url: str, max_bytes: int) -> Fetched:
        spool = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - whoever takes it closes it
        try:
            with self._http.get_file(url, max_bytes) as file:
                self._hold(url, file.url)
                head, tail = _copy(file.stream, spool)
                return Fetched(spool, file.headers, head, tail)
        except BaseException:
            spool.close()
            raise

    def _hold(self, asked: str, answered: str) -> None:
        """Refuse what a redirect brought from elsewhere."""
        if not answered.startswith(self._root):
            raise SourceRefusedError(
                f"{asked}: leads out of {self._root}, to {answered[:80]};"
                " configure the address that the server itself uses"
            )


class WebListing:
    """One index, as a copy; see Listing."""

    def __init__(self, spool: IO[bytes], kind: str, url: str, path: str, *, flat: bool) -> None:
        self._spool, self._kind, self._url = spool, kind, url
        self._prefix = f"{path}/" if path else ""
        self._flat = flat
        self.outside = 0
        self.odd: list[bytes] = []
        self.digest = b""

    def names(self) -> Iterator[str]:
        """Yield the paths of its files; digest all that is listed on the way."""
        digest = blake2b(digest_size=16)
        some = False
        for row, name, folder in self._rows():
            some = True
            digest.update(f"{name}\0{folder}\0{row.stamp}\n".encode("utf-8", "surrogateescape"))
            if not folder:
                yield self._prefix + name
        self.digest = digest.digest() if some else b""

    def entries(self, wanted: Wanted) -> Iterator[Entry]:
        """Yield its folders and the wanted files, in the order of the index."""
        for row, name, folder in self._rows():
            path = self._prefix + name
            if (folder and not self._flat) or (not folder and wanted(path)):
                yield Entry(path=path, folder=folder, stamp=row.stamp, modified=row.modified)

    def _rows(self) -> Iterator[tuple[Row, str, bool]]:
        """Yield each row that leads below, with its name and whether it is a folder."""
        self._spool.seek(0)
        self.outside, self.odd = 0, []
        for row in rows_of_html(self._spool) if self._kind == "html" else self._json():
            name = row.name if row.link is None else self._below(row.link)
            if name is None:
                self.outside += 1
                continue
            folder = name.endswith("/") if row.folder is None else row.folder
            name = name.removeprefix("./").rstrip("/")
            steps = name.split("/")
            if not name or any(step.startswith(".") for step in steps):
                self.outside += ".." in steps
            elif "\0" in name or "" in steps or (len(steps) > 1 and not self._flat):
                self.outside += 1
            else:
                yield row, name, folder

    def _json(self) -> Iterator[Row]:
        try:
            for row in rows_of_json(self._spool):
                if isinstance(row, Row):
                    yield row
                elif len(self.odd) < MAX_ODD:
                    self.odd.append(json.dumps(row, default=str).encode("utf-8", "replace"))
        except SourceGarbledError as err:
            raise SourceGarbledError(f"{self._url}: {err}") from err

    def _below(self, link: str) -> str | None:
        """Return the name that a link has below the index, "" for itself, its order or its parent."""
        if _PLAIN.fullmatch(link):
            return unquote_to_bytes(link).decode("utf-8", "surrogateescape")
        try:
            goal = urlsplit(urljoin(self._url, link))
            here = urlsplit(self._url)
        except ValueError:
            return None
        if (goal.scheme, goal.netloc) != (here.scheme, here.netloc):
            return None
        folder = here.path[: here.path.rindex("/") + 1]
        if goal.path in (folder, folder[: folder.rindex("/", 0, -1) + 1] if len(folder) > 1 else folder):
            return ""
        if not goal.path.startswith(folder) or goal.query or goal.fragment:
            return None
        return unquote_to_bytes(goal.path[len(folder) :]).decode("utf-8", "surrogateescape")


def _as_sent(url: str) -> str:
    """Return an address as requests sends it and tells it back: its host in lower case, its blanks quoted."""
    try:
        return str(requests.Request("GET", url).prepare().url)
    except requests.RequestException as err:
        raise SourceGarbledError(f"not an address: {url[:80]!r}: {err}") from err


def _copy(stream: IO[bytes], spool: IO[bytes]) -> tuple[bytes, bytes]:
    """Copy a body; return its beginning and its end."""
    head = tail = b""
    while block := stream.read(HEAD_BYTES):
        spool.write(block)
        if len(head) < HEAD_BYTES:
            head += block
        tail = (tail + block)[-1024:]
    return head, tail


def _stamp(headers: Mapping[str, str]) -> str:
    told = (headers.get("Last-Modified"), headers.get("ETag"), headers.get("Content-Length"))
    return " ".join(filter(None, told)) if told[0] or told[1] else ""


def _moment(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).replace(microsecond=0)
