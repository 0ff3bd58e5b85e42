"""`ci-results import`: copy what other systems have kept so far."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from .context import Context, pass_context
from .exits import DONE, ERROR, PARTLY
from .harvest import print_reports, report_values, stop_at_checkpoint
from .output import next_command, plural, print_json, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..operations.import_et import Loaded
    from ..operations.import_resultsdb import Copied


@click.group("import")
def import_() -> None:
    """Copy what other systems have kept so far."""


@import_.command()
@click.argument("url")
@click.option("--source", default="resultsdb", show_default=True, help="What the results are stored under.")
@click.option(
    "--since",
    metavar="TIME",
    help="Ask again from this time on (ISO 8601, UTC), and for all groups; default: for what is new.",
)
@click.option("--token-env", metavar="VARIABLE", help="Environment variable that holds a bearer token.")
@click.option("--token-file", type=click.Path(path_type=Path), help="File that holds it and nothing else.")
@click.option("--ca", type=click.Path(), help="File of certificates to trust.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def resultsdb(
    context: Context,
    url: str,
    source: str,
    since: str | None,
    token_env: str | None,
    token_file: Path | None,
    ca: str | None,
    as_json: bool,
) -> None:
    """Copy the ResultsDB whose API is at URL: testcases, groups, and results with their times.

    Again later: only what is new. A result keeps its id as its key, so that none is stored twice, and
    is served again exactly as it was. What cannot be stored is quarantined. All of it is marked: door
    `import` in the view `result`. Ctrl-C ends after the page, and the next import goes on from there.

    Exit codes: 0 all is here, 2 some, 3 nothing was copied.
    """
    from ..errors import ConfigError
    from ..operations.import_resultsdb import Importing, import_resultsdb
    from ..plugin.http import SourceSession
    from ..plugin.token import Token

    if source in context.config.sources:
        raise ConfigError(f"source {source} is harvested: give another name with --source")
    begin = None if since is None else time_of(since)
    url = url.rstrip("/")
    store = context.store()
    with (
        SourceSession(url, token=Token(token_env, token_file).read(), ca=ca) as http,
        stop_at_checkpoint() as stop,
        _progress(source, quiet=as_json) as tell,
    ):
        report = import_resultsdb(
            Importing(
                url=url, source=source, store=store, http=http, plugins=context.plugins, since=begin,
                outcomes=context.config.outcomes, stop=stop, tell=tell,
            )
        )  # fmt: skip
    if as_json:
        print_json(report_values(report))
    else:
        print_reports([report])
        if not report.ok:
            next_command(f"ci-results import resultsdb {url} --source {source}")
        elif report.counts.quarantined:
            next_command("ci-results quarantine list --source " + source)
        else:
            next_command(f"ci-results result list --source {source}")
    some = PARTLY if report.state == "stopped" or report.pages else ERROR
    click.get_current_context().exit(DONE if report.ok else some)


@import_.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def et(context: Context, file: Path, as_json: bool) -> None:
    """Load old verdicts of the Errata Tool from FILE: CSV, or a JSON object a line; see docs/errata-tool.md.

    Each keeps its time, and is marked: source `import-et`, door `import`, attribute `imported` = `et`. A
    row without a time, or with one of the future, is quarantined, for it would count as new; so is what
    cannot be read. The same file again stores nothing twice.

    Exit codes: 0 all is here, 2 some, 3 nothing.
    """
    from ..errors import InvalidError
    from ..operations.import_et import SOURCE, Reading, import_et

    config = context.config
    reading = Reading(plugins=context.plugins, words=config.imports.et.outcomes, vocabulary=config.outcomes)
    store = context.store()
    with file.open("rb") as stream, stop_at_checkpoint() as stop, _rows(file, stream, quiet=as_json) as tell:
        try:
            loaded = import_et(stream, str(file), store, reading, stop=stop, tell=tell)
        except InvalidError as err:
            raise InvalidError(f"{file}: {err}") from err
    counts = loaded.counts
    if as_json:
        print_json(loaded)
    else:
        click.echo(
            f"{file}: {plural(loaded.rows, 'row')}  +{counts.stored} new  ={counts.same} same"
            f"  !{counts.quarantined} quarantined"
        )
        for reason, count in list(loaded.reasons.items())[:5]:
            say(f"  quarantined {count}x: {reason}")
    if loaded.stopped:
        next_command(f"ci-results import et {file}")
    elif loaded.reasons:
        next_command(f"ci-results quarantine list --source {SOURCE}")
    else:
        next_command(f"ci-results result list --source {SOURCE}", f"ci-results parity --old {file}")
    good = counts.stored or counts.same
    bad = loaded.reasons or loaded.stopped
    click.get_current_context().exit((PARTLY if good else ERROR) if bad else DONE)


@contextmanager
def _rows(file: Path, stream: BinaryIO, *, quiet: bool) -> Iterator[Callable[[Loaded], None]]:
    """Give what an import of a table tells its progress to: how much of the file is read."""
    from .progress import shown_bars

    size = file.stat().st_size
    with shown_bars([file.name], quiet=quiet) as show:
        yield lambda loaded: show(
            file.name, min(stream.tell(), size), size, f"{loaded.rows} rows", f"+{loaded.counts.stored}"
        )


def time_of(text: str) -> datetime:
    """Return the time that --since gives, UTC where it has no zone. Raises UsageError."""
    from datetime import UTC

    try:
        time = datetime.fromisoformat(text)
    except ValueError as err:
        raise click.UsageError(f"--since is no time: {text!r}; write 2026-01-02 or 2026-01-02T03:04") from err
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


@contextmanager
def _progress(source: str, *, quiet: bool) -> Iterator[Callable[[Copied], None]]:
    """Give what an import tells its progress to: how many, how fast, up to when."""
    from .progress import shown_bars

    begun = time.monotonic()
    with shown_bars([source], quiet=quiet) as show:

        def tell(copied: Copied) -> None:
            rate = copied.read / max(0.001, time.monotonic() - begun)
            reached = "" if copied.reached is None else f", reached {copied.reached:%Y-%m-%d %H:%M}"
            figures = f"{copied.read} results, {rate:.0f}/s{reached}"
            show(source, copied.read, None, figures, f"{copied.what} {copied.note}")

        yield tell
