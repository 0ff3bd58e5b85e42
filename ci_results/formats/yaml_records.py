"""YAML as a stream: the records that lie at given paths; nothing is constructed, no alias expanded.

Every scalar is a text, as it stands: `version: 1.10` must not become 1.1. Only a plain `null`, `~` or
nothing is None.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

import yaml  # type: ignore[import-untyped]

from .byte_blocks import Blocks
from .records import MAX_DEPTH, Event, Path, Records
from .xml_refusal import Refused

MAX_FILE_BYTES = 64 << 20
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})


def yaml_records(stream: IO[bytes], *wanted: Path) -> Iterator[tuple[Path, Any]]:
    """Yield (path, value) of each record at one of the wanted paths; (path, BEGUN) for what leads there.

    At last comes ((), Garbled) where the document breaks.

    >>> import io
    >>> from ci_results.formats.records import BEGUN
    >>> list(yaml_records(io.BytesIO(b"- name: /a\\n  version: 1.10\\n- name: /b\\n"), ("[]",)))
    [(('[]',), {'name': '/a', 'version': '1.10'}), (('[]',), {'name': '/b'})]
    """
    blocks, records = Blocks(stream, MAX_FILE_BYTES), Records(wanted)
    reason = None
    try:
        for found in records.feed(_events(blocks)):
            yield found
            blocks.mark()
    except Refused as refused:
        reason = str(refused)
    except (yaml.YAMLError, ValueError) as err:
        reason = _said(err)
    if reason is not None or blocks.blank:
        yield (), blocks.unread("the report is empty" if blocks.blank else reason or "")


def _events(blocks: Blocks) -> Iterator[Event]:
    """Give a document's events as `records` takes them."""
    keys: list[bool | None] = []
    documents = 0
    for event in yaml.parse(blocks, Loader=_LOADER):
        kind = type(event).__name__
        if kind == "AliasEvent":
            raise Refused(f"an alias (*{event.anchor}), which is not expanded, in line {_line(event)}")
        if kind == "DocumentStartEvent":
            documents += 1
            if documents > 1:
                raise Refused(f"a second document begins in line {_line(event)}")
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            keys.pop()
            yield "end_map" if kind == "MappingEndEvent" else "end_array", None
        elif kind == "ScalarEvent":
            if keys and keys[-1]:
                keys[-1] = False
                yield "map_key", event.value
                continue
            plain = event.implicit[0] and event.value in _NOTHING
            yield ("null", None) if plain else ("string", event.value)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            if keys and keys[-1]:
                raise Refused(f"a key that is no text in line {_line(event)}")
            if len(keys) >= MAX_DEPTH:
                raise Refused(f"values nest deeper than {MAX_DEPTH}")
            keys.append(True if kind == "MappingStartEvent" else None)
            yield "start_map" if kind == "MappingStartEvent" else "start_array", None
            continue
        if keys and keys[-1] is False:
            keys[-1] = True


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _said(err: Exception) -> str:
    """Say what the parser complains of, and where, without quoting the file."""
    problem = getattr(err, "problem", None) or getattr(err, "reason", None) or type(err).__name__
    mark = getattr(err, "problem_mark", None)
    return f"it is no YAML here: {problem}" + (f" in line {mark.line + 1}" if mark else "")
