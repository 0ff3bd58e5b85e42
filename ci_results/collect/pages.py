"""Cut what a collector yields into pages of bounded size. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from ..domain.checkpoint import Checkpoint
from ..domain.garbled import Garbled
from ..domain.job import Job
from ..domain.observation import Observation
from ..errors import CiResultsError, PluginError, shown

PAGE_ROWS = 10_000
PAGE_CHARS = 4_000_000


@dataclass(slots=True)
class Draft:
    """A page before it is normalised; `cursor` is None where it ends before a Checkpoint."""

    seen: list[Observation] = field(default_factory=list)
    garbled: list[Garbled] = field(default_factory=list)
    cursor: str | None = None
    jobs: tuple[Job, ...] = ()


def cut(
    things: Iterable[object],
    rows: int = PAGE_ROWS,
    chars: int = PAGE_CHARS,
    enough: Callable[[int], bool] = lambda rows: True,
) -> Iterator[Draft]:
    """Yield a Draft at a Checkpoint, and before one where `rows` or about `chars` are reached.

    `enough` says whether so many things are worth a page of their own at a Checkpoint; where they are
    not, they wait for the next one. What is left at the end comes as a last Draft, also when `things`
    raises: those rows were read well. Raises PluginError for anything else than Seen.
    """
    draft, count, size, ended = Draft(), 0, 0, False
    failure: CiResultsError | None = None
    try:
        for thing in things:
            match thing:
                case _ if isinstance(thing, Observation):  # a class pattern costs three times as much
                    draft.seen.append(thing)
                    count += 1
                    if thing.note is not None or thing.data:
                        size += _weight(thing)
                case Garbled():
                    draft.garbled.append(thing)
                    count += 1
                    size += len(thing.raw)
                case Checkpoint():
                    draft.cursor, draft.jobs = thing.cursor, (*draft.jobs, *thing.jobs)
                    ended = enough(count)
                case _:
                    raise PluginError(
                        f"a collector yields Observation, Garbled or Checkpoint, got {shown(thing)}"
                    )
            if ended or count >= rows or size >= chars:
                full, draft, count, size, ended = draft, Draft(), 0, 0, False
                yield full
    except CiResultsError as err:
        failure = err
    if count or draft.cursor is not None:
        yield draft
    if failure is not None:
        raise failure


def _weight(seen: Observation) -> int:
    size = 0 if seen.note is None else len(seen.note)
    if seen.data:
        size += sum(len(value) if isinstance(value, str) else 64 for value in seen.data.values())
    return size
