"""`ci-results spread`: harvests on many workers, by Celery."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .context import Context, pass_context
from .output import next_command, plural, print_json, print_table, say

if TYPE_CHECKING:
    from collections.abc import Sequence

APP = "celery -A ci_results.spread.app"
WORKER, BEAT = f"{APP} worker --loglevel info --concurrency 4", f"{APP} beat --loglevel info"


@click.command()
@click.argument("names", nargs=-1, metavar="[SOURCE]...")
@click.option("--send", is_flag=True, help="Send a harvest of each of them now, and do not wait for beat.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def spread(context: Context, names: tuple[str, ...], send: bool, as_json: bool) -> None:
    """Show how harvests of all sources, or these, are spread over workers, and what starts those.

    Any number of workers, on any machine, take tasks from one queue of RabbitMQ; one task is a harvest of
    one source. One beat sends them, each source's `every_s` after the one before. A source is harvested by
    one worker at a time, however often a task comes. The store should be on PostgreSQL.

    Exit codes: 0 done, 3 the broker is away.
    """
    sources = [source.name for source in context.sources(names)]
    config = context.config
    values = [
        {"source": name, "every_s": config.sources[name].core.every_s, "sent": send} for name in sources
    ]
    if send:
        _send(context, sources)
    if as_json:
        print_json(values)
    else:
        print_table(
            ("source", "every"), [(name, f"{config.sources[name].core.every_s:g} s") for name in sources]
        )
    if send:
        say(f"{plural(len(sources), 'task')} sent to queue {config.spread.queue}")
    next_command(WORKER, BEAT)


def _send(context: Context, sources: Sequence[str]) -> None:
    """Put tasks on the queue. Raises ConfigError, SourceUnavailableError."""
    from ..errors import ConfigError, SourceUnavailableError

    try:
        from kombu.exceptions import OperationalError

        from ..spread.tasks import make, send
    except ImportError as err:
        raise ConfigError("tasks need Celery: pip install 'ci-results[celery]'") from err
    config = context.config
    try:
        send(make(config), sources, config)
    except OperationalError as err:
        raise SourceUnavailableError(f"{config.spread.broker}: {err}; is RabbitMQ there?") from err
