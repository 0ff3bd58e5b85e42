"""`ci-results plugin`: what extends ci-results, and how to write more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .context import Context, pass_context
from .exits import NO
from .output import next_command, plural, print_json, print_table, say, word

if TYPE_CHECKING:
    from ..collect.source import Source
    from ..operations.plugin_new import Written


@click.group()
def plugin() -> None:
    """What extends ci-results, and how to write more."""


@plugin.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def list_(context: Context, as_json: bool) -> None:
    """List the plugins: name, version, distribution, hooks, and whether each one loaded."""
    rows = [
        {
            "name": one.name,
            "version": one.version,
            "distribution": one.distribution,
            "hooks": list(one.hooks),
            "state": "broken" if one.problem else "ok",
            "problem": one.problem,
        }
        for one in context.plugins.loaded
    ]
    if as_json:
        print_json(rows)
        return
    print_table(
        ("plugin", "version", "distribution", "state", "hooks"),
        [
            (
                each.name,
                each.version,
                each.distribution,
                "broken" if each.problem else "ok",
                ", ".join(each.hooks),
            )
            for each in context.plugins.loaded
        ],
    )
    next_command("ci-results plugin new NAME", "ci-results plugin check NAME")


@plugin.command()
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(["collector", "jenkins"]),
    default="collector",
    show_default=True,
    help="collector: for any server; jenkins: for a Jenkins master of your own.",
)
@click.option("--url", help="Address of the server; it is asked once whether it answers (jenkins).")
@click.option("--token-env", metavar="VARIABLE", help="Environment variable that holds the token.")
@click.option("--user", help="Account that the token belongs to.")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    show_default=True,
    help="Where to put the folder ci-results-NAME.",
)
@pass_context
def new(
    context: Context,
    name: str,
    kind: str,
    url: str | None,
    token_env: str | None,
    user: str | None,
    into: Path,
) -> None:
    """Write a plugin NAME, a distribution whose contract tests pass before you change anything."""
    from ..operations.plugin_new import new_plugin

    written = new_plugin(name, into, kind, url, token_env)
    say(f"created {written.folder} ({plural(len(written.files), 'file')})")
    say(f"  to change: {written.folder / _to_change(written)}")
    if kind == "jenkins" and url is not None:
        _probe(context, url, token_env, user)
    package = f"cd {written.folder} && pip install -e .[test] && pytest"
    next_command(package, f"ci-results plugin record {name} --url {url or 'URL'} --into tests/recording")


@plugin.command()
@click.argument("plugin", default=".", metavar="[PATH|NAME]")
@click.option("--release", is_flag=True, help="Build the wheel as well and look into it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(plugin: str, release: bool, as_json: bool) -> None:
    """Check the plugin in a folder, or an installed one: name, papers, hooks, contract tests."""
    from ..operations.plugin_check import check_plugin, find_plugin

    folder = find_plugin(plugin)
    findings = []
    for finding in check_plugin(folder, release):
        findings.append(finding)
        if not as_json:
            state = f"{word('ok')} " if finding.ok else word("bad")
            click.echo(f"{state}  {finding.check}: {finding.said}")
            if not finding.ok:
                click.echo(f"     mend: {finding.mend}")
    if as_json:
        print_json(findings)
    bad = sum(not finding.ok for finding in findings)
    if bad:
        say(f"{plural(bad, 'check')} of {len(findings)} failed")
        click.get_current_context().exit(NO)
    say(f"all {len(findings)} checks passed")
    if not release:
        next_command(f"ci-results plugin check --release {plugin}")


@plugin.command()
@click.argument("name")
@click.option("--url", help="Address of the server, where NAME is a collector and no configured source.")
@click.option("--user", help="Account that the token belongs to.")
@click.option("--token-env", metavar="VARIABLE", help="Environment variable that holds the token.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any other option, as TOML.")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("tests/recording"),
    show_default=True,
    help="Folder of the recording; what was recorded there before is replaced.",
)
@click.option(
    "--pages", type=click.IntRange(min=1), default=3, show_default=True, help="Pages of results to take."
)
@click.option("--all", "everything", is_flag=True, help="Take the source to its end.")
@pass_context
def record(
    context: Context,
    name: str,
    url: str | None,
    user: str | None,
    token_env: str | None,
    settings: tuple[str, ...],
    into: Path,
    pages: int,
    everything: bool,
) -> None:
    """Record what a server answers to NAME (a source, or a collector with --url) for contract tests.

    Secrets, e-mail addresses, accounts and host names are blanked before anything is written.
    """
    from ..operations.plugin_record import record as record_source
    from .source import _settings

    source = _source(context, name, url, user, token_env, dict(_settings(settings)))
    told = record_source(source, into, None if everything else pages)
    blanked = ", ".join(plural(count, kind) for kind, count in sorted(told.blanked.items())) or "nothing"
    say(f"recorded {plural(len(told.files), 'exchange')} in {into}; blanked: {blanked}")
    say(
        f"  they hold {plural(told.observations, 'observation')} and {plural(told.garbled, 'garbled record')}"
    )
    say(f"  in your contract test: options = {told.options}")
    if not told.observations:
        say("  no observation: choose a source, or more --pages, with results in it")
    next_command("pytest", f"git diff {into}")


def _source(
    context: Context,
    name: str,
    url: str | None,
    user: str | None,
    token_env: str | None,
    more: dict[str, object],
) -> Source:
    """Return the configured source NAME, or one made of the options for the collector NAME."""
    from ..config import build_source, read_config
    from ..operations.sources import toml_value

    if name in context.config.sources and url is None:
        return context.sources((name,))[0]
    keys = {"collector": name, "url": url, "user": user, "token_env": token_env, **more}
    lines = [f"{key} = {toml_value(value)}" for key, value in keys.items() if value is not None]
    config = read_config("[source.recorded]\n" + "\n".join(lines) + "\n", Path("the options"))
    return build_source(config.sources["recorded"], config, context.plugins.collectors)


def _probe(context: Context, url: str, token_env: str | None, user: str | None) -> None:
    """Ask the master once, as its built-in collector does, and say what it said."""
    from ..operations.check import check_sources

    if "jenkins" not in context.plugins.collectors:
        say("  not probed: pip install ci-results-jenkins, which the new plugin needs too")
        return
    source = _source(context, "jenkins", url, user, token_env, {})
    for answer in check_sources([source]):
        say(f"  probe: {word('ok' if answer.ok else 'bad')}")
        for line in answer.lines:
            say(f"    {line}")


def _to_change(written: Written) -> str:
    return next(str(path) for path in written.files if path.name == "__init__.py")
