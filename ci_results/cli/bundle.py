"""`ci-results bundle` and `verify`: what decisions rest on as one file, and whether it was altered."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click

from .context import Context, pass_context
from .exits import NO, PARTLY
from .gating import open_gate
from .output import next_command, plural, print_json, printable, say, word
from .result import since as moment


class ItemOrCommand(click.Group):
    """A group in which an ITEM may stand for `of ITEM`."""

    default = "of"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command in where there is none."""
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = [self.default, *args]
        return super().parse_args(ctx, args)


@click.group(cls=ItemOrCommand)
def bundle() -> None:
    """Write all that decisions rest on into one SQLite file: `bundle ITEM -o FILE.sqlite`."""


@bundle.command("of")
@click.argument("names", metavar="ITEM|ADVISORY...", nargs=-1, required=True)
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.sqlite"
)
@click.option("--build", "builds", metavar="ITEM", multiple=True, help="A further build of the advisory.")
@click.option("--type", "subject_type", help="Of the items; default: those of their results.")
@click.option("--product-version", "versions", multiple=True, help="Default: those that the names tell.")
@click.option("--context", "contexts", metavar="NAME", multiple=True, help="Default: each that is for it.")
@click.option("--purpose", "purposes", metavar="KIND:VALUE", multiple=True)
@click.option("--at", type=moment, metavar="TIME", help="Decide as of this moment; default: now.")
@click.option("--sign", "keys", metavar="KEY", multiple=True, type=click.Path(path_type=Path),
              help="Sign with this private key, of `bundle keygen`.")  # fmt: skip
@click.option("--force", is_flag=True, help="Write over FILE where it is there already.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def of(
    context: Context,
    names: tuple[str, ...],
    output: Path,
    builds: tuple[str, ...],
    subject_type: str | None,
    versions: tuple[str, ...],
    contexts: tuple[str, ...],
    purposes: tuple[str, ...],
    at: datetime | None,
    keys: tuple[Path, ...],
    force: bool,
    as_json: bool,
) -> None:
    """Bundle results, waivers with all their events, policies, plans and decisions of an ITEM or ADVISORY.

    The file opens in Datasette and any SQLite client. The same store, `--at` and keys give the same bytes.

    Exit codes: 0 written, 1 nothing is known of that.
    """
    from ..decide.policy_set import load
    from ..domain.purpose import Purpose
    from ..errors import ConflictError
    from ..operations.bundling.gathering import Wanted
    from ..operations.bundling.gathering import bundle as write
    from ..operations.gate import policy_files, read_files

    if output.exists() and not force:
        raise ConflictError(f"{output} is there already; to write over it: --force")
    files = _policies(context)
    gate = open_gate(context)
    policies = load(
        files,
        context.plugins.rule_types,
        subject_types=read_files(
            policy_files(context.config.gate.subject_types, context.config.folder, "subject_types")
        ),
        settings=context.config.gate.settings,
    )
    gate = replace(gate, policies=policies, now=gate.now if at is None else lambda: at)
    wanted = Wanted(
        names=names, builds=builds, subject_type=subject_type, product_versions=versions, contexts=contexts,
        purposes=frozenset(map(Purpose.parse, purposes)),
    )  # fmt: skip
    done = write(gate, wanted, files, output, keys)
    if as_json:
        print_json({
            "file": str(output),
            "subjects": [each._asdict() for each in done.subjects],
            "decisions": [
                {
                    "subject_type": subject.type, "subject_identifier": subject.identifier,
                    "product_version": version, "decision_context": name, "verdict": verdict,
                }
                for subject, version, name, verdict in done.verdicts
            ],
            "rows": done.rows,
            "signatures": len(keys),
        })  # fmt: skip
        return
    for subject, version, name, verdict in done.verdicts:
        click.echo(printable(f"{verdict:9}  {subject.identifier}  {name} of {version}"))
    if not done.verdicts:
        say("no decision is in it: no policy is for it, or nothing tells its --product-version")
    counted = ", ".join(f"{count} {name}" for name, count in done.rows.items() if name != "bundle")
    say(f"wrote {output}: rows: {counted}; {plural(len(keys), 'signature')}")
    next_command(f"ci-results verify {output}" + (" --key KEY.pub" if keys else ""))


@bundle.command()
@click.argument("name", type=click.Path(path_type=Path))
def keygen(name: Path) -> None:
    """Make an Ed25519 pair of keys to sign with, NAME.key, and to verify with, NAME.pub.

    Keep NAME.key to yourself; give NAME.pub to those who verify.
    """
    from ..operations.bundling.sealing import keygen as make

    private, public, keyid = make(name)
    say(f"wrote {private} (secret) and {public}; the key is {keyid}")
    next_command(f"ci-results bundle ITEM -o FILE.sqlite --sign {private}")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--key", "keys", metavar="KEY.pub", multiple=True, type=click.Path(path_type=Path),
              help="A public key that you trust; one of them must have signed.")  # fmt: skip
@click.option("--against", type=click.Path(path_type=Path, dir_okay=False, exists=True),
              help="An export of waiver events, kept elsewhere.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(file: Path, keys: tuple[Path, ...], against: Path | None, as_json: bool) -> None:
    """Check a bundle offline: its signature, every row, its views, and the hashes of its waiver events.

    Names each row that was altered, added or taken out. Without a key that you trust nobody vouches for it:
    whoever alters a bundle can seal it anew.

    Exit codes: 0 whole, and signed by a key given; 1 altered; 2 whole, and nobody vouches; 3 no bundle.
    """
    from ..operations.audit import read_published
    from ..operations.bundling.sealing import read_public
    from ..operations.bundling.verifying import verify as check

    published: dict[int, str] = {}
    if against is not None:
        with against.open("rb") as lines:
            published = read_published(lines, str(against))
    found = check(file, [read_public(each) for each in keys], published)
    state = "altered" if found.problems else "whole" if found.trusted else "whole, but nobody vouches"
    if as_json:
        print_json({
            "file": str(file), "state": state, "problems": list(found.problems),
            "signers": list(found.signers), "trusted": list(found.trusted), "rows": dict(found.rows),
        })  # fmt: skip
    else:
        for problem in found.problems:
            click.echo(printable(problem))
        signed = f"signed by {', '.join(found.signers)}" if found.signers else "not signed"
        say(f"{file}: {word(state)}; {plural(sum(found.rows.values()), 'row')}, {printable(signed)}")
        if found.problems:
            next_command("get it again from whoever made it")
        elif not found.trusted:
            next_command(
                f"ci-results verify {file} --key KEY.pub" if found.signers
                else f"ci-results bundle ITEM -o {file} --sign KEY.key"
            )  # fmt: skip
    click.get_current_context().exit(NO if found.problems else 0 if found.trusted else PARTLY)


def _policies(context: Context) -> list[tuple[str, bytes]]:
    """Return the policies in force under names that count from the configuration's folder."""
    import os

    from ..errors import ConfigError
    from ..operations.gate import policy_files, read_files

    folder, patterns = context.config.folder, context.config.gate.policies
    if not patterns:
        raise ConfigError('no policy is configured; write [gate] policies = ["policies/*.yaml"]')
    files = policy_files(patterns, folder)
    texts = (text for _, text in read_files(files))
    names = (Path(os.path.relpath(file.resolve(), folder.resolve())).as_posix() for file in files)
    return list(zip(names, texts, strict=True))
