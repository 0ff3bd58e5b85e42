"""Run candidates of a benchmark in fresh processes, interleaved, and print one table of medians."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Figures = dict[str, float]


def one_run(work: Callable[[], Mapping[str, float]]) -> None:
    """Do `work` once and print its figures with wall and CPU seconds and peak memory, as JSON.

    `work` may return "wall" and "cpu" itself where only a part of it counts.
    """
    began, cpu = time.perf_counter(), time.process_time()
    figures = dict(work())
    figures.setdefault("wall", time.perf_counter() - began)
    figures.setdefault("cpu", time.process_time() - cpu)
    figures["rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps(figures))


def compare(
    script: str, candidates: Sequence[str], arguments: Sequence[str], rounds: int
) -> dict[str, Figures]:
    """Run `script --one CANDIDATE` for each candidate, `rounds` times in turn; return medians."""
    runs: dict[str, list[Figures]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name in candidates:
            runs[name].append(fresh_run(script, name, arguments))
    return {name: medians(many) for name, many in runs.items()}


def fresh_run(script: str, name: str, arguments: Sequence[str]) -> Figures:
    """Run `script --one NAME` in a process of its own; return its figures."""
    command = [sys.executable, script, "--one", name, *arguments]
    figures: Figures = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return figures


def medians(runs: Sequence[Figures]) -> Figures:
    """Return the median of each figure."""
    return {figure: statistics.median(run[figure] for run in runs) for figure in runs[0]}


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print one table; figures are rounded to what they are worth."""
    # Imported here: no candidate's peak memory shall hold it.
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right")
    for row in rows:
        table.add_row(*(_text(cell) for cell in row))
    Console(width=140).print(table)


def _text(cell: Any) -> str:
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 100 else f"{cell:.2f}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
