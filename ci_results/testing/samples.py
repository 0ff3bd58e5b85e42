"""Run a folder of report files through recognition and reading, and print a table: a line for each format.

    python -m ci_results.testing.samples DIR [--files]

Saved messages of buses are read as well, by kind, and compared with what a peer posts of them.

Nothing is stored. With `--files` each file has its line as well. The exit code is 1 where a reader
raised.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from ..domain.garbled import Garbled
from ..domain.report import Report
from ..domain.run import Run
from ..errors import CiResultsError, InvalidError
from ..normalise.normaliser import Normaliser
from ..plugin.contract import Format
from ..plugin.manager import Plugins, load_plugins
from .message_samples import is_message_sample, read_sample

NOT_RECOGNISED = "(not recognised)"
HEAD_BYTES = 65_536
_ABOUT = Report(item="sample-1-1", item_type="koji_build", prefix="sample", run=Run(key="sample"))
_COLUMNS = (
    *("format", "files", "MB", "results", "outcomes", "refused", "garbled", "raised", "MB/s"),
    *("compared", "unlike"),
)
_RIGHT = frozenset(_COLUMNS) - {"format", "outcomes"}


@dataclass(slots=True)
class Figures:
    """What files of one format gave: sizes in bytes, the time in seconds of CPU.

    refused  observations that the store would refuse, as their word or item is not known
    garbled  pieces that could not be read; raised: files on which the reader raised
    compared messages of which it is known what a peer posts; unlike: those of which we say otherwise
    """

    format: str
    files: int = 0
    size_bytes: int = 0
    took_s: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    garbled: int = 0
    raised: int = 0
    compared: int = 0
    unlike: int = 0
    differences: list[str] = field(default_factory=list)

    def __iadd__(self, other: Figures) -> Figures:
        self.files += other.files
        self.size_bytes += other.size_bytes
        self.took_s += other.took_s
        self.outcomes += other.outcomes
        self.refused += other.refused
        self.garbled += other.garbled
        self.raised += other.raised
        self.compared += other.compared
        self.unlike += other.unlike
        return self


def survey(folder: Path, plugins: Plugins) -> Iterator[tuple[Path, Figures]]:
    """Yield what each file below `folder` gives, by path; golden files are passed over."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.endswith(".golden.json"):
            yield path, read_one(path, plugins)


def read_one(path: Path, plugins: Plugins) -> Figures:
    """Read one file by the first format that recognises it, a saved message by the first kind."""
    if is_message_sample(path):
        return _read_message(path, plugins)
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
        stream.seek(0)
        reader = next((each for each in plugins.formats.values() if each.recognises(head)), None)
        size = path.stat().st_size
        if reader is None:
            return Figures(format=NOT_RECOGNISED, files=1, size_bytes=size)
        figures = Figures(format=reader.name, files=1, size_bytes=size)
        began = time.process_time()
        try:
            _read(reader, stream, figures, Normaliser("samples", reader.outcomes, plugins.item_types))
        except CiResultsError:
            figures.garbled += 1
        except Exception:  # noqa: BLE001 - this is what is looked for
            figures.raised = 1
        figures.took_s = time.process_time() - began
        return figures


def _read_message(path: Path, plugins: Plugins) -> Figures:
    began = time.process_time()
    told = read_sample(path, plugins)
    figures = Figures(format=f"message {told.reader}", files=1, size_bytes=path.stat().st_size)
    figures.took_s = time.process_time() - began
    figures.outcomes.update(each.outcome for each in told.results)
    figures.garbled = len(told.garbled)
    figures.differences = [*told.garbled, *(told.differences or ())]
    figures.compared = told.differences is not None
    figures.unlike = bool(told.differences)
    return figures


def totals(found: Iterable[Figures]) -> list[Figures]:
    """Sum up by format, by name; what no format recognises comes last."""
    sums: dict[str, Figures] = {}
    for each in found:
        sums.setdefault(each.format, Figures(format=each.format)).__iadd__(each)
    return sorted(sums.values(), key=lambda one: (one.format == NOT_RECOGNISED, one.format))


def table(rows: Sequence[Figures]) -> str:
    """Write figures as a table of text."""
    lines = [_COLUMNS, *map(_cells, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_COLUMNS))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if name in _RIGHT else cell.ljust(width)
            for cell, width, name in zip(line, widths, _COLUMNS, strict=True)
        ).rstrip()
        for line in lines
    )


def _read(reader: Format, stream: object, figures: Figures, normalise: Normaliser) -> None:
    for each in reader.read(stream, _ABOUT):  # type: ignore[arg-type]
        if isinstance(each, Garbled):
            figures.garbled += 1
            continue
        try:
            figures.outcomes[normalise(each).outcome] += 1
        except InvalidError:
            figures.refused += 1


def _cells(row: Figures) -> tuple[str, ...]:
    said = " ".join(f"{outcome}:{count:,}" for outcome, count in sorted(row.outcomes.items()))
    speed = f"{row.size_bytes / 1e6 / row.took_s:.1f}" if row.took_s > 0.001 else ""
    return (
        row.format,
        f"{row.files:,}",
        f"{row.size_bytes / 1e6:.2f}",
        f"{sum(row.outcomes.values()):,}",
        said,
        f"{row.refused:,}",
        f"{row.garbled:,}",
        f"{row.raised:,}",
        speed,
        f"{row.compared:,}" if row.compared else "",
        f"{row.unlike:,}" if row.compared else "",
    )


def main(arguments: Sequence[str], out: TextIO) -> int:
    """Print the table of a folder; return the exit code: 0, 1 where something raised, 64 for wrong usage."""
    folders = [each for each in arguments if not each.startswith("--")]
    if len(folders) != 1 or not Path(folders[0]).is_dir() or set(arguments) - {*folders, "--files"}:
        out.write("usage: python -m ci_results.testing.samples DIR [--files]\n")
        return 64
    found: list[Figures] = []
    for path, figures in survey(Path(folders[0]), load_plugins()):
        found.append(figures)
        if "--files" in arguments:
            said = " ".join(f"{outcome}:{count}" for outcome, count in sorted(figures.outcomes.items()))
            counts = f"refused:{figures.refused} garbled:{figures.garbled} raised:{figures.raised}"
            out.write(f"{path.relative_to(folders[0])}: {figures.format}  {said}  {counts}\n")
            for difference in figures.differences:
                out.write(f"    {difference}\n")
    out.write(table(totals(found)) + "\n")
    return 1 if any(each.raised for each in found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdout))
