"""Draw a harvest on a terminal; say nothing where there is none."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..collect.progress import Progress, Tell


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
