"""`ci-results doctor`: is it me or them?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from ..store.urls import store_path
from .context import Context, pass_context
from .exits import NO
from .output import next_command, print_json, printable, say, word

if TYPE_CHECKING:
    from ..operations.doctor import Finding


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def doctor(context: Context, as_json: bool) -> None:
    """Look at plugins, tokens, sources, sinks, store and disk, and say what to do.

    Exit codes: 0 nothing is bad (there may be warnings), 1 something is.
    """
    findings = list(_findings(context))
    if as_json:
        print_json(findings)
    else:
        for finding in findings:
            click.echo(f"{word(str(finding.health)):9} {finding.about}: {printable(finding.says)}")
    bad = [finding for finding in findings if finding.health == "bad"]
    warnings = [finding for finding in findings if finding.health == "warning"]
    if not as_json:
        say(f"{len(findings)} checks: {len(bad)} bad, {len(warnings)} warnings")
        advice = dict.fromkeys(finding.advice for finding in (*bad, *warnings) if finding.advice)
        next_command(*(advice or ("ci-results harvest",)))
    if bad:
        click.get_current_context().exit(NO)


def _findings(context: Context) -> Iterator[Finding]:
    from ..errors import CiResultsError
    from ..operations import doctor as look

    yield from look.examine_plugins(context.plugins)
    for name in context.config.sources:
        try:
            context.sources((name,))
        except CiResultsError as err:
            yield look.Finding(about=name, health=look.Health.BAD, says=str(err))
    for name in context.config.sinks:
        try:
            context.sinks((name,))
        except CiResultsError as err:
            yield look.Finding(about=f"sink {name}", health=look.Health.BAD, says=str(err))
    for name in context.config.buses:
        try:
            context.bus(name).ready()
        except CiResultsError as err:
            yield look.Finding(about=f"bus {name}", health=look.Health.BAD, says=str(err))
    yield from look.examine_tokens(context.readable_sources())
    try:
        store = context.store(must_exist=True)
    except CiResultsError as err:
        yield look.Finding(about="store", health=look.Health.BAD, says=str(err), advice="ci-results harvest")
        return
    patience = {
        name: timedelta(hours=table.core.stale_after_h) for name, table in context.config.sources.items()
    }
    yield from look.examine_sources(store, patience)
    yield from look.examine_sinks(
        store,
        {name: timedelta(hours=table.core.stale_after_h) for name, table in context.config.sinks.items()},
    )
    yield from look.examine_buses(store, context.config.buses)
    yield from look.examine_follower(store)
    yield from look.examine_results(store)
    yield from look.examine_store(store, store_path(context.url))
