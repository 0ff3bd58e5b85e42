"""`ci-results replay`: make a store anew of feeds."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .context import Context, pass_context
from .exits import NO, PARTLY
from .harvest import stop_at_checkpoint
from .output import next_command, plural, print_json, say, word

if TYPE_CHECKING:
    from ..operations.replay import Digest, Replayed


@click.command()
@click.argument("feeds", nargs=-1, required=True, metavar="FEED...")
@click.option("--merge", is_flag=True, help="Take results into a store that holds something else.")
@click.option("--check", is_flag=True, help="Replay into a store that is soon gone; compare.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def replay(context: Context, feeds: tuple[str, ...], merge: bool, check: bool, as_json: bool) -> None:
    """Make the store anew of what the sink `jsonlines` or `export feed` wrote.

    FEED is a file, packed or not (gzip, bzip2, xz, Zstandard), a folder of such files (*.jsonl*), or - for
    stdin. Several are read as one, in the order of commits; what is there already is passed by, so that a
    replay that was broken off is begun again. All has the ids, numbers of commits and times that it had: the
    canonical dumps are equal. A damaged line goes to the quarantine with its place.

    With --merge a store that holds something else gets the results, by source, run and key, as received now;
    waivers and decisions stay those of their own store.

    Exit codes: 0 all lines are there (with --check: and nothing else is), 1 --check found a difference, or
    the store holds something else, 2 some lines are not.
    """
    from ..operations.feeds import feeds_at
    from ..operations.replay import Replaying, digest_of
    from ..operations.replay import replay as run
    from .progress import shown_steps

    if check and merge:
        raise click.UsageError("--check compares a whole store: leave --merge out")
    found = feeds_at(feeds, lambda: sys.stdin.buffer)
    if check:
        _check(context, feeds, as_json=as_json)
        return
    store = context.store()
    with stop_at_checkpoint() as stop, shown_steps() as tell:
        done = run(
            Replaying(
                store=store, feeds=found, merge=merge, stop=stop,
                tell=lambda read, size: tell("bytes of the feed", read, size),
            )
        )  # fmt: skip
    _print(done, digest_of(store), as_json=as_json)
    if done.damaged or not done.whole:
        click.get_current_context().exit(PARTLY)


def _check(context: Context, places: tuple[str, ...], *, as_json: bool) -> None:
    """Replay into a store of its own, and hold it against the one there is."""
    from tempfile import TemporaryDirectory

    from ..operations.feeds import feeds_at
    from ..operations.replay import Replaying, difference, digest_of
    from ..operations.replay import replay as run
    from ..store.opening import open_sqlite

    store = context.store(must_exist=True)
    with TemporaryDirectory() as folder, open_sqlite(f"sqlite:{Path(folder) / 'replayed.db'}") as other:
        done = run(Replaying(store=other, feeds=feeds_at(places, lambda: sys.stdin.buffer)))
        problem, digest = difference(store, other), digest_of(store)
    _print(done, digest, as_json=as_json, problem=problem, checked=True)
    if problem is not None:
        click.get_current_context().exit(NO)


def _print(
    done: Replayed, digest: Digest, *, as_json: bool, problem: str | None = None, checked: bool = False
) -> None:
    if as_json:
        print_json({
            "new": done.new, "same": done.same, "left_out": done.left_out, "damaged": done.damaged,
            "first_damaged": done.first, "merged": done.merged, "whole": done.whole, "facts": digest.facts,
            "digest": digest.digest, "difference": problem,
        })  # fmt: skip
        return
    for kind in sorted(done.new.keys() | done.same.keys() | done.left_out.keys()):
        left = f"  {done.left_out[kind]} left out" if done.left_out[kind] else ""
        click.echo(f"{kind:12}{done.new[kind]:>10} new{done.same[kind]:>10} there already{left}")
    if done.damaged:
        click.echo(f"{word('bad')}: {plural(done.damaged, 'line')} damaged, first {done.first}")
    if problem is not None:
        click.echo(f"{word('bad')}: {problem}")
    click.echo(f"canonical dump: {digest.facts} facts, digest {digest.digest}")
    if not done.whole:
        say("stopped: the same command goes on")
    if done.damaged and not checked:
        next_command("ci-results quarantine list --source replay", "ci-results db check")
    elif checked:
        say("the feed makes this very store" if problem is None else "the feed makes another store")
        next_command("ci-results deliver" if problem else "ci-results db check")
    else:
        next_command("ci-results db check", "ci-results audit verify")
