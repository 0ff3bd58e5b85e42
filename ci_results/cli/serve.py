"""`ci-results serve`: open the view in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .context import Context, pass_context
from .gating import outside_of, owners_of, policies_in_force
from .output import say

if TYPE_CHECKING:
    from ..sinks.archiving import Place


@click.command()
@click.option("--host", help="Address to listen at; default: of the configuration, else 127.0.0.1.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), help="Port; the next free one where it is busy, 0 = any."
)
@click.option(
    "--allow-host", "allowed", multiple=True, metavar="NAME", help="A name that browsers may ask for."
)
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    help="Processes that answer; default: of the configuration, else 1.",
)
@click.option(
    "--follow", is_flag=True, help="Record decisions that change, too, as `ci-results follow` does."
)
@click.option("--listen", "listening", is_flag=True, help="Take messages, too, as `ci-results listen` does.")
@click.option("--access-log", is_flag=True, help="Log each request to stderr, a JSON object a line.")
@pass_context
def serve(
    context: Context,
    host: str | None,
    port: int | None,
    allowed: tuple[str, ...],
    workers: int | None,
    follow: bool,
    listening: bool,
    access_log: bool,
) -> None:
    """Serve the APIs, the first page and Datasette over the store, until Ctrl-C.

    Answers what it has accepted before it ends; at SIGHUP it reads the policies anew. Limits and more
    are in table `serve` of the configuration; docs/serving.md explains them.
    """
    from dataclasses import replace

    from ..serve.run import serve as run
    from ..serve.surroundings import Arranged, ReportRules
    from .logs import access_log_to_stderr

    settings = context.config.serve
    settings = replace(
        settings,
        host=settings.host if host is None else host,
        port=settings.port if port is None else port,
        workers=settings.workers if workers is None else workers,
        follow=settings.follow or follow,
        listen=settings.listen or listening,
        access_log=settings.access_log or access_log,
        allowed_hosts=(*settings.allowed_hosts, *allowed),
    )
    if settings.access_log:
        click.get_current_context().with_resource(access_log_to_stderr())
    run(
        context.url,
        settings,
        auth=context.config.auth,
        permissions=context.config.permissions,
        arranged=Arranged(
            outcomes=context.config.outcomes,
            reports=ReportRules(table=context.config.report, ownership=context.config.owned_by_reports()),
            waive=context.config.waive,
            events=context.config.events,
            policies=policies_in_force(context),
            outside=outside_of(context),
            owner_of=owners_of(context),
            archives=archives(context),
        ),
        announce=say,
        beside_us=[name for name in ("follow", "listen") if getattr(settings, name)],
        words=_words(context),
    )


def archives(context: Context) -> tuple[Place, ...]:
    """Return where the configured archives are."""
    from ..sinks.archive import ArchiveSink

    if not any(table.core.kind == ArchiveSink.name for table in context.config.sinks.values()):
        return ()
    sinks = context.readable_sinks().values()
    return tuple(sink.options.place for sink in sinks if isinstance(sink.sink, ArchiveSink))


def _words(context: Context) -> list[str]:
    """Return the options that let another process find what this one serves."""
    config = [] if context.config.path is None else ["--config", str(context.config.path)]
    return [*config, "--store", context.url]
