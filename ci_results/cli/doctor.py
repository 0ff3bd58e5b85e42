"""`ci-results doctor`: is it me or them?"""

from __future__ import annotations

import logging
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
@click.option(
    "--canary", is_flag=True, help="Ask each source, too, and send each bus a message there and back."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def doctor(context: Context, canary: bool, as_json: bool) -> None:
    """Look at plugins, tokens, sources, buses, sinks, store and disk, and say what to do.

    Nothing is changed, and without --canary nobody is asked. A canary is a marked message to a place of its
    own on the bus, which nobody else reads; each source is asked as `source check` does, and how late it is
    there: clocks that disagree are told.

    Exit codes: 0 nothing is bad (there may be warnings), 1 something is.
    """
    findings = [*_findings(context), *(_canaries(context) if canary else ())]
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
    from ..operations import ending

    yield from look.examine_plugins(context.plugins)
    for name in context.config.sources:
        try:
            context.sources((name,))
        except CiResultsError as err:
            advice = f"ci-results source check {name}"
            yield look.Finding(about=name, health=look.Health.BAD, says=str(err), advice=advice)
    for name in context.config.sinks:
        try:
            context.sinks((name,))
        except CiResultsError as err:
            advice = f"ci-results sink check {name}"
            yield look.Finding(about=f"sink {name}", health=look.Health.BAD, says=str(err), advice=advice)
    for name in context.config.buses:
        try:
            context.bus(name).ready()
        except CiResultsError as err:
            yield look.Finding(about=f"bus {name}", health=look.Health.BAD, says=str(err))
    yield from look.examine_tokens(context.readable_sources())
    yield from ending.examine_auth(context.config.auth)
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
    yield from ending.examine_waivers(store)
    yield from look.examine_store(store, store_path(context.url))


def _canaries(context: Context) -> Iterator[Finding]:
    from ..errors import CiResultsError
    from ..operations.canary import ask_sources, send_canaries

    logging.getLogger("pika").setLevel(logging.CRITICAL)  # what it tells is in the findings
    yield from ask_sources(list(context.readable_sources().values()))
    buses = {}
    for name in context.config.buses:
        try:
            buses[name] = context.bus(name)
        except CiResultsError as err:
            say(str(err))
    yield from send_canaries(buses, origin=context.config.listen.origin)
