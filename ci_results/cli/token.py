"""`ci-results token`: what scripts show to submit results."""

from __future__ import annotations

import json
from datetime import timedelta

import click

from .output import next_command, print_json, say


@click.group()
def token() -> None:
    """Make tokens, which scripts show to submit results."""


@token.command()
@click.argument("name")
@click.option("--user", help="Who whoever has it is, in permissions; default: NAME.")
@click.option(
    "--group", "groups", multiple=True, metavar="GROUP", help="A group of that user; may be repeated."
)
@click.option(
    "--days", type=click.IntRange(1, 36_500), help="How long it holds; default: until its table is gone."
)
@click.option("--strict", is_flag=True, help="Refuse what breaks the rules of our own doors.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: token and table.")
def new(
    name: str, user: str | None, groups: tuple[str, ...], days: int | None, strict: bool, as_json: bool
) -> None:
    """Print a new token once, and the table that makes it known.

    The token goes to standard output and is kept nowhere; the table has its digest alone. Put the
    table into ci-results.toml, or without `auth.` into the file that `auth.tokens_file` names.
    """
    from ..domain.user import check_user_name
    from ..serve.auth.tokens import digest, new_token, today

    check_user_name(name)
    made = new_token()
    table: dict[str, object] = {"name": name, "sha256": digest(made)}
    if user is not None:
        table["user"] = check_user_name(user)
    if groups:
        table["groups"] = list(groups)
    if days is not None:
        table["expires"] = (today() + timedelta(days=days)).isoformat()
    if strict:
        table["strict"] = True
    if as_json:
        print_json({"token": made, "table": table})
        return
    click.echo(made)
    say(
        "\n".join(
            ["", "[[auth.tokens]]", *(f"{key} = {_toml(key, value)}" for key, value in table.items()), ""]
        )
    )
    next_command("add the table above to ci-results.toml", "ci-results serve")


def _toml(key: str, value: object) -> str:
    """Write a value as TOML: as JSON, whose texts without control characters are TOML's, but for a date."""
    return str(value) if key == "expires" else json.dumps(value, ensure_ascii=False)
