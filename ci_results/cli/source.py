"""`ci-results source`: which CI servers are harvested."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .context import Context, pass_context
from .exits import NO, PARTLY
from .output import next_command, print_json, print_table, printable, say, stamp, word

if TYPE_CHECKING:
    from ..domain.stored import SourceState


@click.group()
def source() -> None:
    """Which CI servers are harvested."""


@source.command()
@click.argument("name", required=False)
@click.argument("url", required=False)
@click.option(
    "--collector", default="jenkins", show_default=True, help="The plugin that reads this kind of server."
)
@click.option("--owner", help="Who answers for it, e.g. baseos-qe.")
@click.option("--contact", help="Where to reach them.")
@click.option("--user", help="Account that the token belongs to.")
@click.option("--token-env", metavar="VARIABLE", help="Environment variable that holds the token.")
@click.option("--token-file", metavar="FILE", help="File that holds the token and nothing else.")
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any other key of the table, as TOML."
)
@click.option(
    "--from",
    "masters",
    type=click.File(encoding="utf-8"),
    help="Add many: a CSV with a header: name, url or where it is else, and more keys.",
)
@click.option(
    "--check/--no-check", default=True, show_default=True, help="Ask the server whether it answers."
)
@pass_context
def add(
    context: Context,
    /,
    name: str | None,
    url: str | None,
    collector: str,
    settings: tuple[str, ...],
    masters: Any,
    check: bool,
    **keys: str | None,
) -> None:
    """Add the server at URL as source NAME, or many --from a table.

    Without a URL it is a source that is no server, such as a folder: say where with --set.

    It is written to the configuration file, whose other bytes stay as they are. The token is never
    written there: say with --token-env or --token-file where it is.

    Exit codes: 0 added, and it answers; 2 added, and it does not answer well.
    """
    from ..operations.sources import read_masters

    if masters is not None:
        added = read_masters(masters, masters.name)
    elif name is not None:
        added = [(name, {"collector": collector, "url": url, **keys, **_settings(settings)})]
    else:
        raise click.UsageError("give NAME (and URL), or --from FILE")
    path = _add(context, added)
    names = [each for each, _ in added]
    for each in names:
        say(f"added [source.{each}] to {path}")
    every = " ".join(names)
    if not check:
        next_command(f"ci-results source check {every}")
    elif _check(context, tuple(names)):
        next_command(f"mend what is said above, then: ci-results source check {every}")
        click.get_current_context().exit(PARTLY)
    else:
        next_command(f"ci-results harvest --dry-run {every}", f"ci-results harvest {every}")


@source.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def list_(context: Context, as_json: bool) -> None:
    """List the configured sources and how each fares."""
    rows = _standing(context)
    if as_json:
        print_json(rows)
        return
    if not rows:
        say("no source is configured")
        next_command("ci-results source add NAME URL")
        return
    print_table(
        ("source", "collector", "state", "results", "quarantined", "last good harvest", "owner"),
        [
            (
                row["source"], row["collector"], row["state"], str(row["results"]), str(row["quarantined"]),
                stamp(row["last_ok"]), row["owner"] or "",
            )
            for row in rows
        ],
    )  # fmt: skip
    for row in rows:
        if row["last_error"]:
            say(f"{row['source']}: {row['last_error']}")
    next_command("ci-results harvest", "ci-results source check NAME")


@source.command()
@click.argument("names", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def check(context: Context, names: tuple[str, ...], as_json: bool) -> None:
    """Ask sources (all, or NAMES) whether a harvest would go well: token, permissions, items.

    Exit codes: 0 all answer well, 2 some, 1 none.
    """
    bad = _check(context, names, as_json=as_json)
    all_of_them = len(names or context.config.sources)
    next_command("ci-results harvest --dry-run")
    if bad:
        click.get_current_context().exit(NO if bad == all_of_them else PARTLY)


@source.command()
@click.argument("name")
@click.option("--forget", is_flag=True, help="Drop its cursor and jobs from the store too; results stay.")
@pass_context
def remove(context: Context, name: str, forget: bool) -> None:
    """Take source NAME out of the configuration; its results stay."""
    from ..operations.sources import remove_source

    path = _file(context)
    remove_source(path, name)
    if forget:
        context.store(must_exist=True).forget_source(name)
    say(f"removed [source.{name}] from {path}; its results stay")
    next_command("ci-results source list")


def _add(context: Context, added: list[tuple[str, dict[str, Any]]]) -> Path:
    """Write all of `added` or nothing: each table is read once as the configuration would."""
    from ..config import build_source, check_name, read_config
    from ..operations.sources import text_of, with_source, write_text

    path = _file(context)
    text = text_of(path)
    for name, values in added:
        text = with_source(text, check_name(name), values)
    config = read_config(text, path)
    for name, _ in added:
        build_source(config.sources[name], config, context.plugins.collectors)
    write_text(path, text)
    context.config_path = path
    context.__dict__.pop("config", None)
    return path


def _check(context: Context, names: tuple[str, ...], *, as_json: bool = False) -> int:
    """Print what each source says; return how many did not answer well."""
    from ..operations.check import check_sources

    answers = check_sources(context.sources(names))
    if as_json:
        all_answers = list(answers)
        print_json(all_answers)
        return sum(not answer.ok for answer in all_answers)
    bad = 0
    for answer in answers:
        bad += not answer.ok
        click.echo(f"{answer.source}: {word('ok' if answer.ok else 'bad')}")
        for line in answer.lines:
            click.echo(f"  {printable(line)}")
    sys.stdout.flush()
    return bad


def _file(context: Context) -> Path:
    from ..config import DEFAULT_FILE

    return context.config_path or DEFAULT_FILE


def _standing(context: Context) -> list[dict[str, Any]]:
    """Join what is configured with what the store knows of it; sources only the store knows come last."""
    from ..domain.stored import SourceState
    from ..errors import NotFoundError

    try:
        stored = {state.name: state for state in context.store(must_exist=True).sources()}
    except NotFoundError:
        stored = {}
    configured = context.config.sources
    rows = []
    for name in [*configured, *(name for name in stored if name not in configured)]:
        core = configured[name].core if name in configured else None
        known = stored.get(name, SourceState(name=name))
        rows.append(
            {
                "source": name,
                "collector": core.collector if core else known.collector,
                "state": _state(known, configured=core is not None),
                "url": configured[name].rest.get("url") if core else known.url,
                "owner": core.owner if core else known.owner,
                "contact": core.contact if core else known.contact,
                "results": known.results,
                "quarantined": known.quarantined,
                "last_ok": known.last_ok,
                "last_try": known.last_try,
                "last_error": known.last_error,
            }
        )
    return rows


def _state(known: SourceState, *, configured: bool) -> str:
    if not configured:
        return {"report": "reports", "import": "imported"}.get(known.collector, "removed")
    if known.last_try is None:
        return "new"
    return "bad" if known.last_error else "ok"


def _settings(settings: tuple[str, ...]) -> dict[str, Any]:
    """Read `--set KEY=VALUE`: a TOML value, or else plain text."""
    import tomllib

    values: dict[str, Any] = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key:
            raise click.UsageError(f"--set needs KEY=VALUE, got {setting!r}")
        try:
            values[key] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            values[key] = text
    return values
