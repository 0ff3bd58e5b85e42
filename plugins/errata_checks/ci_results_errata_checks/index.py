"""Read an index: the HTML that Apache, nginx, lighttpd and others make of a folder, or JSON. Pure.

JSON is that of nginx (`autoindex_format json`) and of Caddy, or a file that somebody wrote alike: a
list of objects with `name`, and `size` and `mtime` where known. All is read as a stream.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import IO, Any

import ijson

from ci_results import SourceGarbledError

HEAD_BYTES = 65_536
_CHUNK = 65_536
_MAX_LINK = 16_384
"""Of one link with what stands behind it: names have at most 255 bytes, as %XX 765."""
_LINK = re.compile(rb"<a(?=\s)", re.IGNORECASE)
_HREF = re.compile(rb"""[^>]*?\shref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_TITLE = re.compile(rb"<(?:title|h1)[^<>]*>\s*(?:index of|directory listing|directory:)", re.IGNORECASE)
_TIME = re.compile(
    r"\b(\d{4}-\d\d-\d\d|\d\d-[A-Z][a-z]{2}-\d{4}|\d{4}-[A-Z][a-z]{2}-\d\d) \d\d:\d\d(:\d\d)?\b"
)
_MAX_DEPTH = 20
_FORMS = ("%Y-%m-%d", "%d-%b-%Y", "%Y-%b-%d")


@dataclass(frozen=True, slots=True)
class Row:
    """What an index says of one thing.

    link      reference as it stands in the page, to be resolved; None = `name` is a plain path
    name      path from the folder, where the index says that instead
    folder    whether it says that it is a folder; None = a slash at the end says so
    stamp     its time and size as they stand there, "" without a time
    modified  the time; one without a zone is taken for UTC, so it is good for days only
    """

    link: str | None = None
    name: str = ""
    folder: bool | None = None
    stamp: str = ""
    modified: datetime | None = None


def kind_of(head: bytes, tail: bytes) -> str:
    """Say what an index is, "json" or "html", from its beginning and its end.

    Raises SourceGarbledError for what is none, a login page above all, or was cut.
    """
    begin = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if begin[:1] == b"[":
        return "json"
    if begin[:1] != b"<":
        raise SourceGarbledError("no index: neither the HTML of a folder nor a list in JSON")
    if not _TITLE.search(head):
        raise SourceGarbledError('no index: a page that does not call itself "Index of" anything')
    if begin[:9].lower().startswith((b"<!doctype", b"<html")) and b"</html>" not in tail.lower():
        raise SourceGarbledError("the index is cut: its end is missing")
    return "html"


def rows_of_html(stream: IO[bytes]) -> Iterator[Row]:
    """Yield a row for each link, whatever it leads to."""
    for piece in _pieces(stream):
        if (found := _HREF.match(piece)) is None:
            continue
        link = html.unescape(next(filter(None, found.groups()), b"").decode("utf-8", "surrogateescape"))
        _, _, behind = piece.partition(b"</a>") if b"</a>" in piece else piece.partition(b"</A>")
        told = " ".join(html.unescape(_TAG.sub(" ", behind.decode("utf-8", "replace"))).split())
        time = _TIME.search(told)
        stamp = told[:200] if time else ""
        yield Row(link=link, stamp=stamp, modified=_day(time[1]) if time else None)


def rows_of_json(stream: IO[bytes]) -> Iterator[Row | dict[str, Any]]:
    """Yield a row for each record; a record without a name is yielded as it is.

    Raises SourceGarbledError where it is no JSON, or ends too early.
    """
    try:
        for record in _records(stream):
            yield _row(record)
    except (ijson.JSONError, ValueError) as err:
        said = " ".join(str(err).split())[:80]
        raise SourceGarbledError(f"the index is no JSON, or cut: {said}") from err


def _records(stream: IO[bytes]) -> Iterator[dict[str, Any]]:
    """Yield the objects of a list, of their values those that are no objects or lists themselves."""
    depth, key = 0, ""
    record: dict[str, Any] = {}
    for event, value in ijson.basic_parse(stream, use_float=True):
        if event.startswith("start_"):
            depth += 1
            if depth > _MAX_DEPTH:
                raise ValueError(f"nested deeper than {_MAX_DEPTH}")
            if depth == 2:
                record = {}
        elif event.startswith("end_"):
            depth -= 1
            if depth == 1:
                yield record
        elif depth == 1:
            yield {"record": value}
        elif depth == 2 and event == "map_key":
            key = value
        elif depth == 2:
            record[key] = value


def _row(record: dict[str, Any]) -> Row | dict[str, Any]:
    name = record.get("name")
    if not isinstance(name, str) or not name:
        return record
    time = record.get("mtime", record.get("mod_time"))
    kind, is_folder = record.get("type"), record.get("is_dir")
    folder = kind == "directory" if isinstance(kind, str) else is_folder if is_folder is not None else None
    if kind not in (None, "file", "directory") or record.get("is_symlink") is True:
        name = ""  # a link, a pipe: nothing to read
    stamp = f"{time} {record.get('size', '')}" if isinstance(time, (str, int, float)) else ""
    return Row(name=name, folder=folder, stamp=stamp[:200], modified=_moment(time))


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield what lies between the beginnings of links, behind the first one; what is too long is cut."""
    held, begun = b"", False
    while chunk := stream.read(_CHUNK):
        *whole, held = _LINK.split(held + chunk)
        for piece in whole:
            if begun:
                yield piece[:_MAX_LINK]
            begun = True
        if len(held) > _MAX_LINK + 3:
            held = (held[:_MAX_LINK] if begun else b"") + held[-3:]  # where a link may begin
    if begun:
        yield held[:_MAX_LINK]


@lru_cache(1024)
def _day(text: str) -> datetime | None:
    for form in _FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def _moment(time: object) -> datetime | None:
    """Read a time as nginx ("Wed, 25 Nov 2026 21:31:56 GMT") and Caddy (ISO 8601) write it."""
    if not isinstance(time, str):
        return None
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = read(time)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None
