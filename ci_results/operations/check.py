"""Check: ask sources what a harvest would meet, without harvesting."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..collect.session import connect
from ..collect.source import Source
from ..errors import CiResultsError
from ..plugin.faults import guarded, plugin_call

if TYPE_CHECKING:
    from ..plugin.http import SourceSession


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one source said, a line each; `ok` = a harvest would get through."""

    source: str
    ok: bool
    lines: tuple[str, ...]


def check_sources(
    sources: Sequence[Source], connect: Callable[[Source], SourceSession] = connect
) -> Iterator[Answer]:
    """Ask each source in turn; what it said before it failed is kept."""
    for source in sources:
        lines: list[str] = []
        what = f"check of {source.name}"
        try:
            session = connect(source)
            try:
                with plugin_call(what, source.collector):
                    said = source.collector.check(source.options, session)
                lines.extend(str(line) for line in guarded(said, what, source.collector))
            finally:
                session.close()
        except CiResultsError as err:
            yield Answer(source=source.name, ok=False, lines=(*lines, str(err)))
        else:
            yield Answer(source=source.name, ok=True, lines=tuple(lines) or ("answers",))
