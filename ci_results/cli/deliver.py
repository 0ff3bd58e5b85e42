"""`ci-results deliver`: send what is stored on to the sinks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from .context import Context, pass_context
from .harvest import stop_at_checkpoint
from .output import next_command, plural, print_json, printable, say, word

if TYPE_CHECKING:
    from ..sinks.progress import SinkReport, Tell


@click.command()
@click.argument("names", nargs=-1, metavar="[SINK]...")
@click.option("--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def deliver(context: Context, names: tuple[str, ...], follow: bool, as_json: bool) -> None:
    """Send on to all sinks, or these, what waits for them.

    All sinks go at once; one that is away stops no other, and each goes on from where it stands,
    also after a crash. What a sink refuses is parked with its reason, and holds nothing up.

    Exit codes: 0 all sinks took all that waited, 2 some or some of it, 3 none.
    """
    from ..operations.deliver import deliver as run
    from ..operations.deliver import reach
    from ..sinks.delivering import Surroundings

    sinks = context.sinks(names)
    store = context.store(must_exist=True)
    with stop_at_checkpoint() as stop, _progress([sink.name for sink in sinks], quiet=as_json) as tell:
        reports = run(sinks, Surroundings(store=store, stop=stop, tell=tell, follow=follow))
    if as_json:
        print_json(reports)
    else:
        _print(reports)
    click.get_current_context().exit(int(reach(reports)))


def _print(reports: list[SinkReport]) -> None:
    line = _pretty if sys.stdout.isatty() else _logfmt
    for report in reports:
        click.echo(line(report))
    sent = sum(report.sent for report in reports)
    parked = sum(report.parked for report in reports)
    good = sum(report.ok for report in reports)
    say(f"{good} of {plural(len(reports), 'sink')} complete, {plural(sent, 'result')} sent, {parked} parked")
    bad = [report.sink for report in reports if not report.ok]
    if bad:
        next_command(f"ci-results sink check {' '.join(bad)}", "ci-results sink list")
    elif parked:
        next_command("ci-results sink parked", "ci-results sink retry --all")
    else:
        next_command("ci-results sink list")


def _pretty(report: SinkReport) -> str:
    text = (
        f"{report.sink}: {word(str(report.state))}  {report.sent} sent  {report.parked} parked"
        f"  {report.passed} not wanted  {report.waiting} left  ({report.seconds:.1f} s)"
    )
    return text if report.error is None else f"{text}\n  {printable(report.error)}"


def _logfmt(report: SinkReport) -> str:
    """One line a sink for logs and scripts: sink=far state=ok sent=38 parked=0 ..."""
    text = (
        f"sink={report.sink} state={report.state} sent={report.sent} parked={report.parked}"
        f" passed={report.passed} waiting={report.waiting} seconds={report.seconds:.1f}"
    )
    return text if report.error is None else f"{text} error={report.error!r}"


@contextmanager
def _progress(names: list[str], *, quiet: bool) -> Iterator[Tell]:
    """Give what a delivery tells its progress to: a bar a sink on a terminal's stderr."""
    from .progress import shown_bars

    with shown_bars(names, quiet=quiet) as show:
        yield lambda report: show(
            report.sink,
            report.sent + report.parked + report.passed,
            report.sent + report.parked + report.passed + report.waiting,
            f"{report.sent} sent  {report.parked} parked  {report.waiting} left",
            f"{report.state} {report.error or ''}",
        )
