"""What the commands about waivers share: where waivers are asked for, and how they are printed."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from .context import Context
from .output import next_command, print_json, print_table, printable, stamp, word

if TYPE_CHECKING:
    from ..domain.stored import StoredResult
    from ..domain.waiver import Terms, Waiver
    from ..operations.waive import Desk, Preview


def open_desk(context: Context, *, must_exist: bool = True) -> Desk:
    """Return where waivers are asked for, as the configuration says."""
    from ..operations.waive import Desk
    from .gating import subject_types_of

    return Desk(
        store=context.store(must_exist=must_exist),
        rules=context.config.waive,
        types=subject_types_of(context),
        kinds=context.plugins.purposes,
    )


def print_waivers(desk: Desk, waivers: list[Waiver] | tuple[Waiver, ...]) -> None:
    """Print waivers, a line each."""
    print_table(
        ("waiver", "state", "subject", "testcase", "where", "for", "by", "ends"),
        [
            (
                one.name, f"{desk.standing(one)}{'' if one.terms.waived else ', not waived'}",
                one.terms.subject, one.terms.testcase,
                " ".join(filter(None, (one.terms.scenario, one.terms.arch))),
                " ".join(filter(None, (one.terms.product_version, str(one.terms.purpose or "")))),
                one.username, "never" if one.expires_at is None else f"{one.expires_at:%Y-%m-%dT%H:%MZ}",
            )
            for one in waivers
        ],
    )  # fmt: skip


def print_preview(context: Context, desk: Desk, wanted: Waiver | Terms, met: Preview, as_json: bool) -> None:
    """Print what a waiver would cover, and which decisions it would turn."""
    from dataclasses import asdict

    from ..domain.waiver import Terms
    from .waiver_effect import foreseen, print_foreseen

    found = foreseen(context, desk, wanted)
    if as_json:
        print_json({**asdict(met), "decisions": found})
        return
    print_terms(wanted if isinstance(wanted, Terms) else wanted.terms)
    print_met(met)
    print_foreseen(found)


def print_terms(terms: Terms) -> None:
    """Print what a waiver is for."""
    for name, value in (
        ("subject", f"{terms.subject} ({terms.subject_type})"),
        ("testcase", terms.testcase),
        ("where", " ".join(filter(None, (terms.scenario, terms.arch))) or "everywhere"),
        ("product", terms.product_version),
        ("purpose", str(terms.purpose or "every decision")),
        ("ends", stamp(terms.expires_at)),
        ("failure", "any (lenient)" if terms.lenient else _failures(terms)),
        ("says", "waived" if terms.waived else "NOT waived: it takes back earlier waivers of the same"),
    ):
        click.echo(f"{name:14}{printable(value)}")


def _failures(terms: Terms) -> str:
    from ..waive.covers import NO_FAILURE, NO_TEXT

    words = {NO_FAILURE: "none so far: suspended when one comes", NO_TEXT: "one without a text"}
    return ", ".join(words.get(one, one) for one in terms.signatures) or "any"


def print_met(met: Preview) -> None:
    """Say which results a waiver meets now."""
    if not (met.waived or met.good or met.unfinished):
        click.echo("covers        no result: there is none so far")
    for name, results in (("covers", met.waived), ("good anyway", met.good), ("not done", met.unfinished)):
        for one in results:
            click.echo(f"{name:14}{_line(one)}{'  ' + word('changed') if one in met.changed else ''}")


def told_as_json(desk: Desk, done: Waiver, as_json: bool) -> bool:
    """Print a waiver as JSON, where that is wanted; else say that people are to be told."""
    if as_json:
        from ..waive.told import told

        print_json(told(done, desk.standing(done)))
    return not as_json


def print_next(done: Waiver) -> None:
    """Say what to do next about a waiver."""
    next_command(
        f"ci-results waiver show {done.name}",
        f"ci-results waiver list --state any --subject {shlex.quote(done.terms.subject)}",
    )


def _line(one: StoredResult) -> str:
    where = " ".join(filter(None, (one.scenario, one.arch)))
    return f"{word(one.outcome)}  {printable(f'result {one.id}  {where}'.rstrip())}  {stamp(one.time)}"
