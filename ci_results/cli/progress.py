"""Draw a harvest on a terminal; say nothing where there is none."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .output import printable

if TYPE_CHECKING:
    from ..collect.progress import Progress, Tell
    from ..store.copying import Told


@contextmanager
def shown_progress(names: Sequence[str], *, quiet: bool = False) -> Iterator[Tell]:
    """Give what a harvest tells its progress to: a bar a source on a terminal's stderr."""
    if quiet or not sys.stderr.isatty():
        yield lambda progress: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.text import Text

    class State(TextColumn):
        """What the source does now, as text, never as markup: it may quote a server."""

        def render(self, task: object) -> Text:
            return Text(str(task.fields["state"])[:100])  # type: ignore[attr-defined]

    columns = (
        SpinnerColumn(finished_text="·"),
        TextColumn("{task.description}", markup=False),
        TextColumn("+{task.fields[new]} ={task.fields[same]} !{task.fields[quarantined]}"),
        State(""),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks = {
            name: bars.add_task(name, total=1, new=0, same=0, quarantined=0, state="waiting to begin")
            for name in names
        }

        def tell(progress: Progress) -> None:
            counts = progress.counts
            running = progress.state in ("harvesting", "waiting")
            bars.update(
                tasks[progress.source],
                completed=0 if running else 1,
                new=counts.stored,
                same=counts.same,
                quarantined=counts.quarantined,
                state=f"{progress.state} {progress.note}",
            )

        yield tell


@contextmanager
def shown_bars(
    names: Sequence[str], *, quiet: bool = False
) -> Iterator[Callable[[str, int, int | None, str, str], None]]:
    """Give a function that draws (name, done, of how many or None, figures, state), a bar a name.

    On a terminal's stderr only; texts are never markup: they may quote a server.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda name, done, total, figures, state: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[figures]}", markup=False),
        TextColumn("{task.fields[state]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks = {name: bars.add_task(name, total=None, figures="", state="") for name in names}
        yield lambda name, done, total, figures, state: bars.update(
            tasks[name], completed=done, total=total, figures=figures, state=printable(state)[:100]
        )


@contextmanager
def shown_steps() -> Iterator[Told]:
    """Give what work in steps tells its progress to: one bar, for the step of the moment, on a terminal."""
    if not sys.stderr.isatty():
        yield lambda step, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("")

        def tell(step: str, done: int, total: int) -> None:
            bars.update(task, description=step, completed=done, total=total)

        yield tell
