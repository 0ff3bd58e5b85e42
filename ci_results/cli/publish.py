"""`ci-results publish`: a producer tells one result, on a bus or to a server."""

from __future__ import annotations

from datetime import datetime

import click

from .context import Context, pass_context
from .output import next_command, print_json, say
from .result import since


@click.command()
@click.argument("to", metavar="TO")
@click.option("--testcase", required=True, help="With its namespace: baseos.smoke.")
@click.option("--outcome", required=True, help="PASSED, FAILED, ERROR, RUNNING, ...")
@click.option("--item", required=True, help="What was tested: bash-5.2-1.fc40.")
@click.option("--type", "item_type", default="koji_build", show_default=True, help="Its kind.")
@click.option("--ref-url", required=True, help="Address of the run; what is told twice of it is stored once.")
@click.option("--note", help="A line for people.")
@click.option(
    "--time", type=since, metavar="TIME", help="When it ended: 2026-01-02T03:04 (UTC); default: now."
)
@click.option("--data", multiple=True, metavar="KEY=VALUE", help="An attribute; may be given often.")
@click.option("--topic", help="Of the message, on a bus.")
@click.option("--token-env", metavar="VAR", help="Variable that holds a token for the server.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def publish(
    context: Context,
    to: str,
    testcase: str,
    outcome: str,
    item: str,
    item_type: str,
    ref_url: str,
    note: str | None,
    time: datetime | None,
    data: tuple[str, ...],
    topic: str | None,
    token_env: str | None,
    as_json: bool,
) -> None:
    """Tell TO that a run ended, or began: a server (https://ci.example) or a bus (spool:DIR, amqps://...).

    For a step of a build: it needs no store, and on a bus no account either. A server stores it at once;
    what listens on the bus stores it when it comes by.

    Exit codes: 0 it is there for good, 1 it is refused there, 3 it cannot be sent.
    """
    from ..errors import SinkRefusedError
    from ..operations.publish import TOPIC, Published, checked
    from ..operations.publish import publish as run
    from ..plugin.token import Token
    from .exits import NO

    told = checked(
        Published(
            testcase=testcase,
            outcome=outcome.upper(),
            item=item,
            item_type=item_type,
            ref_url=ref_url,
            note=note,
            time=time,
            data=_attributes(data),
        ),
        context.config.outcomes,
    )
    try:
        said = run(told, to, topic=topic or TOPIC, token=Token(token_env).read())
    except SinkRefusedError as err:
        say(str(err))
        click.get_current_context().exit(NO)
    if as_json:
        print_json({"id": told.id, "said": said})
    else:
        click.echo(f"{testcase} {told.outcome}: {said}")
    if to.startswith("http"):
        next_command(f"ci-results decide {item}")


def _attributes(given: tuple[str, ...]) -> dict[str, list[str]]:
    """Return KEY=VALUE words as attributes; a key that comes twice has both values."""
    found: dict[str, list[str]] = {}
    for word in given:
        key, mark, value = word.partition("=")
        if not key or not mark:
            raise click.BadParameter(f"{word!r} is no KEY=VALUE", param_hint="--data")
        found.setdefault(key, []).append(value)
    return found
