"""Write docs/cli.md from the commands themselves: python -m ci_results.cli.reference > docs/cli.md"""

from __future__ import annotations

from collections.abc import Iterator

import click

from .main import cli

INTRODUCTION = """\
# The command line

Written by `python -m ci_results.cli.reference > docs/cli.md`; a test compares it with the commands.

Results go to standard output, everything else to standard error; whatever lists something has `--json`.
Times are UTC. Messages end with the next command.

| exit code | means |
|---|---|
| 0 | done; `harvest`: all sources gave all they had; `deliver`: all sinks took all that waited |
| 1 | no: nothing of that name, or a check that failed |
| 2 | partly done; `harvest`: some sources; `deliver`: some sinks, or some of it; `import`: some of it |
| 3 | error of the world or of the configuration; `harvest`: no source; `deliver`: no sink |
| 64 | wrong usage |
| 130 | interrupted |

## Shell completion

Put one line into the start-up file of your shell:

```
eval "$(_CI_RESULTS_COMPLETE=bash_source ci-results)"    # ~/.bashrc
eval "$(_CI_RESULTS_COMPLETE=zsh_source ci-results)"     # ~/.zshrc
_CI_RESULTS_COMPLETE=fish_source ci-results | source     # ~/.config/fish/config.fish
```

## Configuration

`ci-results.toml` in the working directory, or `--config FILE`, or `CI_RESULTS_CONFIG`. Relative paths
count from the folder of the file. An error names file, table and key.

```toml
store = "sqlite:ci-results.db"    # default
outcomes = ["CRASHED"]            # words beside PASSED INFO FAILED NEEDS_INSPECTION ERROR QUEUED RUNNING

[serve]
host = "127.0.0.1"
port = 8001                       # the next free one where it is busy
allowed_hosts = []                # names beside loopback's that browsers may ask for
workers = 1                       # processes that answer; limits and all other keys: docs/serving.md

# [auth] and [[permissions]]: who may submit over HTTP, see docs/auth.md

[report]
item_type = "koji_build"          # what `report` assumes where it is not told
namespace = "baseos"
owns = ["baseos.*"]               # as that of a source, below

[source.NAME]
collector = "jenkins"             # which plugin reads it; `ci-results plugin list` shows what there is
owner = "baseos-qe"               # who answers for it: coverage shows them
owns = ["baseos.*"]               # testcases it may say something about; others are quarantined
contact = "baseos-qe@example.com"
parallel = 4                      # requests in flight at once
timeout_s = 60                    # of one request
retries = 3                       # how often a harvest goes on where the source went away in between
user = "reader"                   # account of the token
token_env = "JTOKEN"              # where the token is: a variable,
# token_file = "tokens/a"         # or a file, which may be replaced while all runs
ca = "ca.pem"                     # certificates to trust
outcomes = { UNSTABLE = "NEEDS_INSPECTION" }    # the source's words to ours
stale_after_h = 48                # `doctor` warns where the last good harvest is older
every_s = 900                     # how often a harvest is sent for, where workers harvest; docs/operations.md
# every other key is an option of the collector

[gate]                            # decisions; all keys: docs/policies.md
policies = ["policies/*.yaml"]

[sink.NAME]
kind = "resultsdb"                # or jsonlines; docs/sinks.md has the other keys
url = "https://resultsdb.example/api/v2.0"

[spread]                          # harvests on many workers; docs/operations.md has the other keys
broker = "amqp://127.0.0.1/"      # the RabbitMQ that holds their tasks
```

Many sources at once: `ci-results source add --from masters.csv`, a table with a header:
`name`, and any of the keys above. A source that is no server has no `url` but the keys of its collector, e.g.
`name,collector,path`.

## In the tox.ini of your own project

`ci-results init --tox` writes a configuration and an environment for tox; then
`tox run -e ci-results` runs the tests, keeps their results in a local store, offline, and sends on
what is new to a file. The same tests again store nothing. `examples/tox-project` is such a project.
"""


def pages() -> Iterator[str]:
    """Yield the document, a piece a command."""
    yield INTRODUCTION
    yield "## Commands\n"
    with click.Context(cli, info_name="ci-results", **cli.context_settings) as context:
        yield _page(cli, context)
        for name in cli.list_commands(context):
            command = cli.get_command(context, name)
            if command is not None:
                yield from _below(command, context, name)


def _below(command: click.Command, parent: click.Context, name: str) -> Iterator[str]:
    with click.Context(command, parent=parent, info_name=name) as context:
        yield _page(command, context)
        if isinstance(command, click.Group):
            for inner in command.list_commands(context):
                found = command.get_command(context, inner)
                if found is not None:
                    yield from _below(found, context, inner)


def _page(command: click.Command, context: click.Context) -> str:
    formatter = click.HelpFormatter(width=100, max_width=100)
    command.format_help(context, formatter)
    return f"### {context.command_path}\n\n```\n{formatter.getvalue().rstrip()}\n```\n"


if __name__ == "__main__":
    click.echo("\n".join(pages()), nl=False)
