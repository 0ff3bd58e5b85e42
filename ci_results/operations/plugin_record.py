"""Record a source for a plugin's contract tests: the harvests that the contract will rehearse, blanked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from ..collect.session import connect
from ..collect.source import Source
from ..domain.checkpoint import Checkpoint
from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..errors import CollectError, SourceGarbledError
from ..plugin.contract import Collector
from ..plugin.faults import guarded, plugin_call
from ..plugin.http import SourceSession
from ..testing.blanker import Blanker
from ..testing.recorder import Recorder
from ..testing.rehearsal import pages_after, resume_points


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a recording holds.

    files     the exchanges; pages: how many pages of results, or None = the source to its end
    seen      observations and garbled records in them
    blanked   how many different things were blanked, by kind: {"secret": 2}
    options   the options to put into the contract test: 'Options(url="https://source.test")'
    """

    files: tuple[Path, ...]
    pages: int | None
    observations: int
    garbled: int
    blanked: dict[str, int]
    options: str


def record(
    source: Source,
    folder: Path,
    pages: int | None = 3,
    connect: Callable[[Source], SourceSession] = connect,
) -> Recorded:
    """Harvest at most `pages` pages of `source`, then on from its cursors, and write what was said.

    Nothing is written where the source is away or refuses: raises CollectError, PluginError then.
    """
    recorder = Recorder()
    seen = _harvest(source, recorder, connect, None, pages)
    checkpoints = [each for each in seen if isinstance(each, Checkpoint)]
    held = pages if pages is not None and len(checkpoints) >= pages else None
    for index in resume_points(checkpoints):
        _harvest(source, recorder, connect, checkpoints[index].cursor, pages_after(index, held))
    if type(source.collector).check is not Collector.check:
        _check(source, recorder, connect)
    if recorder.overflowed:
        raise SourceGarbledError(f"{source.name}: the recording grew too large; record fewer --pages")
    secret = source.token.read()
    about = {"collector": source.collector.name, "pages": held}
    paths, blanker = recorder.write(folder, about, source.url or "", [secret] if secret else [])
    return Recorded(
        files=tuple(paths),
        pages=held,
        observations=sum(isinstance(each, Observation) for each in seen),
        garbled=sum(isinstance(each, Garbled) for each in seen),
        blanked=blanker.blanked,
        options=_options(source.options, blanker),
    )


def _harvest(
    source: Source,
    recorder: Recorder,
    connect: Callable[[Source], SourceSession],
    cursor: str | None,
    pages: int | None,
) -> list[object]:
    """Harvest once through `recorder` and return what was yielded, up to `pages` checkpoints."""
    what = f"harvest of {source.name}"
    session = connect(source)
    recorder.mount(session)
    seen: list[object] = []
    try:
        with plugin_call(what, source.collector):
            things = source.collector.harvest(source.options, cursor, session)
        steps = guarded(things, what, source.collector)
        for thing in steps:
            seen.append(thing)
            if isinstance(thing, Checkpoint) and pages == sum(isinstance(each, Checkpoint) for each in seen):
                break
        steps.close()  # type: ignore[attr-defined]
    finally:
        session.close()
    return seen


def _check(source: Source, recorder: Recorder, connect: Callable[[Source], SourceSession]) -> None:
    session = connect(source)
    recorder.mount(session)
    what = f"check of {source.name}"
    try:
        with plugin_call(what, source.collector):
            said = source.collector.check(source.options, session)
        for _ in guarded(said, what, source.collector):
            pass
    except CollectError:
        return  # the contract replays it: a check may say no
    finally:
        session.close()


def _options(options: Any, blanker: Blanker) -> str:
    """Write the options as a test states them, blanked, without what is the default anyway."""
    if not is_dataclass(options):
        return repr(options)
    given = []
    for field in fields(options):
        value = getattr(options, field.name)
        if value != field.default:
            given.append(f"{field.name}={blanker.text(repr(value))}")
    return f"{type(options).__name__}({', '.join(given)})"
