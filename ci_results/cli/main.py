"""ci-results: the command line. Each command is in the file of its noun, imported when it is called."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click

from ..errors import PluginError
from .context import Context
from .exits import Root

COMMANDS = {
    "init": "init:init",
    "source": "source:source",
    "harvest": "harvest:harvest",
    "report": "report:report",
    "import": "import_:import_",
    "parity": "parity:parity",
    "result": "result:result",
    "export": "export:export",
    "manual": "manual:manual",
    "decide": "decide:decide",
    "policy": "policy:policy",
    "tiers": "tiers:tiers",
    "waiver": "waiver:waiver",
    "inbox": "inbox:inbox",
    "audit": "audit:audit",
    "bundle": "bundle:bundle",
    "verify": "bundle:verify",
    "quarantine": "quarantine:quarantine",
    "schema": "schema:schema",
    "coverage": "coverage:coverage",
    "event": "event:event",
    "listen": "listen:listen",
    "publish": "publish:publish",
    "follow": "follow:follow",
    "spread": "spread:spread",
    "deliver": "deliver:deliver",
    "sink": "sink:sink",
    "serve": "serve:serve",
    "token": "token:token",
    "doctor": "doctor:doctor",
    "status": "status:status",
    "replay": "replay:replay",
    "remap": "remap:remap",
    "prune": "prune:prune",
    "db": "db:db",
    "plugin": "plugin:plugin",
}
"""In the order in which a newcomer needs them: name -> module:attribute."""


class Commands(Root):
    """Our own commands, imported one by one, and those of plugins, loaded when none of ours has the name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List our own; those of plugins are in `ci-results plugin list`, for loading them takes time."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name in COMMANDS:
            module, _, attribute = COMMANDS[cmd_name].partition(":")
            command: click.Command = getattr(import_module(f".{module}", __package__), attribute)
            return command
        if ctx.resilient_parsing:
            return None
        return _of_plugins(ctx.ensure_object(Context)).get(cmd_name)


def _of_plugins(context: Context) -> dict[str, click.Command]:
    """Return the commands of plugins by name. Raises PluginError for a name that is taken."""
    commands: dict[str, click.Command] = {}
    for command in context.plugins.commands():
        name = str(command.name)
        if name in COMMANDS or name in commands:
            raise PluginError(f"a plugin offers the command {name}, which is taken")
        commands[name] = command
    return commands


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="CI_RESULTS_CONFIG",
    help="Configuration file; default: ci-results.toml, where there is one.",
)
@click.option(
    "--store",
    "store_url",
    envvar="CI_RESULTS_STORE",
    help="The store: sqlite:FILE or postgresql://USER@HOST/DATABASE; wins over the configuration.",
)
@click.option("--log-json", is_flag=True, help="Log to stderr, a JSON object a line.")
@click.version_option(package_name="ci-results")
@click.pass_context
def cli(ctx: click.Context, config_path: Path | None, store_url: str | None, log_json: bool) -> None:
    """Bring CI results of many sources together, look at them, and ask about them.

    Begin with `ci-results source add NAME URL`, then `ci-results harvest` and `ci-results serve`; for
    the tests of a project of your own, with `ci-results init --tox`.

    Exit codes: 0 done, 1 no, 2 partly done, 3 error, 4 no policy, 64 wrong usage.
    """
    from .logs import logging_to_stderr

    ctx.with_resource(logging_to_stderr(as_json=log_json))
    ctx.obj = Context(config_path, store_url)
    ctx.call_on_close(ctx.obj.close)


def main() -> None:
    """Run the command line; the entry point `ci-results`."""
    cli(prog_name="ci-results")
