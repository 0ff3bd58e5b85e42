"""JSON as a stream: the records that lie at given paths, and what can be told from a file's first bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from typing import IO, Any

import ijson

from .byte_blocks import Blocks
from .records import CLOSE, ELEMENT, OPEN, Path, Records
from .text_lines import encoding_of
from .xml_refusal import Refused

MAX_TOKEN_BYTES = 16 << 20
"""A text longer than this is refused: the parser holds it whole."""
_SHAPE_EVENTS = 4_000
_SHAPE_DEPTH = 5
_SHAPE_BYTES = 1 << 16


def json_records(stream: IO[bytes], *wanted: Path) -> Iterator[tuple[Path, Any]]:
    """Yield (path, value) of each record at one of the wanted paths; (path, BEGUN) for what leads there.

    At last comes ((), Garbled) where the document breaks.

    A value is of dict, list, str, int, float, bool, None. Records are bounded, see `records`; the
    rest of the document is not built.

    >>> import io
    >>> from ci_results.formats.records import BEGUN
    >>> found = json_records(io.BytesIO(b'{"a": [{"b": 1}, {"b": 2}], "c": 3}'), ("a", "[]"), ("c",))
    >>> [each for each in found if each[1] is not BEGUN]
    [(('a', '[]'), {'b': 1}), (('a', '[]'), {'b': 2}), (('c',), 3)]
    """
    blocks, records = Blocks(stream), Records(wanted)
    events = ijson.sendable_list()
    parser = ijson.basic_parse_coro(events, use_float=True)
    since = 0
    reason = None
    while reason is None:
        block, reason = _parse_next(blocks, parser)
        since = 0 if events else since + len(block)
        if since > MAX_TOKEN_BYTES:
            reason = f"one text is longer than {MAX_TOKEN_BYTES >> 20} MiB"
        try:
            for found in records.feed(events):
                blocks.mark()
                yield found
        except Refused as refused:
            reason = str(refused)
        events.clear()
        if not block:
            break
    if reason is not None:
        yield (), blocks.unread("the report is empty" if blocks.blank else reason)


def _parse_next(blocks: Blocks, parser: Any) -> tuple[bytes, str | None]:
    """Parse the next block; give it, b"" at the end, and what broke there."""
    try:
        block = blocks.read()
        if block:
            parser.send(block)
        else:
            parser.close()
    except (ijson.JSONError, Refused, ValueError, RecursionError) as err:
        return b"", _said(err)
    return block, None


@lru_cache(maxsize=2)
def shape(head: bytes) -> dict[Path, Any]:
    """Say what lies where in the JSON that begins in `head`: paths to scalars, to {} and to [].

    Looks five levels deep, at the first element of each list; {} for what is no JSON.

    >>> shape(b'{"a": {"b": [{"c": 1}, {"d')
    {(): {}, ('a',): {}, ('a', 'b'): [], ('a', 'b', '[]'): {}, ('a', 'b', '[]', 'c'): 1}
    """
    encoding = encoding_of(head[:4])
    text = head[:_SHAPE_BYTES].decode(encoding, "replace").lstrip("\ufeff \t\r\n")
    if text[:1] not in ("{", "["):
        return {}
    events = ijson.sendable_list()
    with suppress(ijson.JSONError, ValueError, RecursionError):  # it is cut, or damaged later on
        ijson.basic_parse_coro(events, use_float=True).send(text.encode("utf-8", "replace"))
    found: dict[Path, Any] = {}
    names: list[str] = []
    lists: list[bool] = []
    key = ""
    for kind, value in events[:_SHAPE_EVENTS]:
        if kind == "map_key":
            key = value
        elif kind in CLOSE:
            names.pop()
            lists.pop()
        else:
            here = (*names[1:], ELEMENT if lists[-1] else key) if lists else ()
            if len(here) <= _SHAPE_DEPTH:
                found.setdefault(here, {"start_map": {}, "start_array": []}.get(kind, value))
            if kind in OPEN:
                names.append(here[-1] if here else "")
                lists.append(kind == "start_array")
    return found


def _said(err: Exception) -> str:
    """Give the first line of what the parser says; the others quote the file."""
    said = str(err.args[0] if err.args else err)
    if said.startswith("b'"):
        said = said[2:]
    return f"it is no JSON here: {said.splitlines()[0].split(chr(92))[0][:200]}" if said else "it is no JSON"
