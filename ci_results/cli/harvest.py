"""`ci-results harvest`: bring what is new at the sources into the store."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING, Any

import click

from .context import Context, pass_context
from .output import next_command, plural, print_json, say, size, stamp, word

if TYPE_CHECKING:
    from ..collect.progress import SourceReport


@click.command()
@click.argument("names", nargs=-1, metavar="[SOURCE]...")
@click.option("--dry-run", is_flag=True, help="Count what would come, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def harvest(context: Context, names: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
    """Bring what is new at all sources, or these, into the store.

    All sources go at once; one that is away stops no other, and each goes on from where it ended.
    Ctrl-C ends at the next safe point, a second one at once.

    Exit codes: 0 all sources gave all they had, 2 some, 3 none.
    """
    from ..operations.harvest import harvest as run
    from ..operations.harvest import reach
    from .progress import shown_progress

    sources = context.sources(names)
    store = context.store()
    with (
        stop_at_checkpoint() as stop,
        shown_progress([source.name for source in sources], quiet=as_json) as tell,
    ):
        reports = run(
            sources,
            store,
            context.plugins,
            stop=stop,
            tell=tell,
            dry_run=dry_run,
            vocabulary=context.config.outcomes,
        )
    if as_json:
        print_json([report_values(report, dry_run) for report in reports])
    else:
        _print(reports, dry_run)
    click.get_current_context().exit(int(reach(reports)))


@contextmanager
def stop_at_checkpoint() -> Iterator[Event]:
    """Give an Event that the first Ctrl-C sets; the second one raises KeyboardInterrupt."""
    stop = Event()

    def interrupted(number: int, frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        say("stopping at the next safe point; Ctrl-C again stops at once")

    before = {number: signal.signal(number, interrupted) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def print_reports(reports: list[SourceReport]) -> None:
    """Print a line for each source, and why records of it were quarantined."""
    for report in reports:
        click.echo(_pretty(report) if sys.stdout.isatty() else report.told())
        for reason, count in list(report.reasons.items())[:5]:
            say(f"  quarantined {count}x: {reason[:200]}")


def _print(reports: list[SourceReport], dry_run: bool) -> None:
    print_reports(reports)
    new = sum(report.counts.stored for report in reports)
    quarantined = sum(report.counts.quarantined for report in reports)
    good = sum(report.ok for report in reports)
    would = "would be new" if dry_run else "new"
    results = f"{plural(new, 'result')} {would}, {quarantined} quarantined"
    say(f"{good} of {plural(len(reports), 'source')} complete, {results}")
    bad = [report.source for report in reports if not report.ok]
    if bad:
        next_command(f"ci-results source check {' '.join(bad)}", "ci-results doctor")
    elif dry_run:
        next_command("ci-results harvest")
    elif quarantined:
        next_command("ci-results quarantine list", "ci-results serve")
    else:
        next_command("ci-results serve", "ci-results result list --latest")


def _pretty(report: SourceReport) -> str:
    counts = report.counts
    text = (
        f"{report.source}: {word(str(report.state))}  +{counts.stored} new  ={counts.same} same"
        f"  !{counts.quarantined} quarantined  ({plural(report.requests, 'request')},"
        f" {size(report.received_bytes)}, {report.seconds:.1f} s)"
    )
    return (
        text
        if report.ok
        else f"{text}\n  last good harvest {stamp(report.last_ok)}\n  {report.error or ''}".rstrip()
    )


def report_values(report: SourceReport, dry_run: bool = False) -> dict[str, Any]:
    """Return what `--json` prints of one source."""
    counts = report.counts
    return {
        "source": report.source,
        "state": str(report.state),
        "dry_run": dry_run,
        "new": counts.stored,
        "same": counts.same,
        "superseding": counts.superseding,
        "quarantined": counts.quarantined,
        "pages": report.pages,
        "requests": report.requests,
        "bytes": report.received_bytes,
        "seconds": round(report.seconds, 3),
        "last_ok": report.last_ok,
        "error": report.error,
        "reasons": report.reasons,
    }
