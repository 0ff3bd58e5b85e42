"""`ci-results serve`: open the view in a browser."""

from __future__ import annotations

import click

from .context import Context, pass_context, store_path
from .output import say


@click.command()
@click.option("--host", help="Address to listen at; default: of the configuration, else 127.0.0.1.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), help="Port; the next free one where it is busy, 0 = any."
)
@click.option(
    "--allow-host", "allowed", multiple=True, metavar="NAME", help="A name that browsers may ask for."
)
@pass_context
def serve(context: Context, host: str | None, port: int | None, allowed: tuple[str, ...]) -> None:
    """Serve the first page and Datasette over the store, until Ctrl-C."""
    from ..errors import ConfigError
    from ..serve.run import serve as run

    path = store_path(context.url)
    if path is None:
        raise ConfigError(f"store {context.url}: the view needs a SQLite file; write sqlite:FILE")
    context.store().close()
    settings = context.config.serve
    run(
        path,
        host=settings.host if host is None else host,
        port=settings.port if port is None else port,
        allowed_hosts=(*settings.allowed_hosts, *allowed),
        announce=say,
    )
