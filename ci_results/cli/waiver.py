"""`ci-results waiver`: ask for a waiver, decide about it, look at what is waived."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .context import Context, pass_context
from .output import next_command, plural, print_json, print_table, say, word
from .waiver_actor import acting
from .waiver_desk import (
    open_desk,
    print_met,
    print_next,
    print_preview,
    print_terms,
    print_waivers,
    told_as_json,
)
from .waiver_effect import print_effect

if TYPE_CHECKING:
    from ..domain.waiver import Waiver
    from ..operations.waive import Desk, Wish

F = TypeVar("F", bound=Callable[..., Any])
STAGES = ("active", "pending", "opened", "any")


def waiver_name(text: str) -> int:
    """Read a waiver by its name or number: W-118, 118."""
    found = re.fullmatch(r"(?:[Ww]-)?(\d{1,18})", text)
    if found is None:
        raise click.BadParameter(f"{text!r} is no waiver; write W-118")
    return int(found[1])


def until(text: str) -> datetime:
    """Read a time to come, in UTC, or a span from now: 2026-01-02, 2026-01-02T03:04, 36h, 14d, 2w."""
    from ..errors import InvalidError
    from ..waive.ends import read_end

    try:
        return read_end(text, datetime.now(UTC))
    except InvalidError as err:
        raise click.BadParameter(str(err)) from err


def deciding(function: F) -> F:
    """Add the options that every step has: why, and in whose name."""
    for option in reversed(
        (
            click.option("--comment", required=True, help="Why; it is kept for good."),
            click.option("--as", "username", metavar="NAME", help="In the name of NAME: superusers may."),
            click.option("--json", "as_json", is_flag=True, help="Print JSON."),
        )
    ):
        function = option(function)
    return function


def asking(function: F) -> F:
    """Add the arguments and options that say what is to be waived."""
    for option in reversed(
        (
            click.argument("subject"),
            click.argument("testcase"),
            click.option("--product-version", required=True, help="E.g. fedora-40."),
            click.option("--type", "subject_type", default="koji_build", show_default=True),
            click.option("--scenario", help="Only in this scenario."),
            click.option("--arch", help="Only on this architecture."),
            click.option("--purpose", metavar="KIND:VALUE", help="Only for this: advisory:RHSA-2026:1234."),
            click.option("--expires", type=until, metavar="TIME|SPAN", help="When it ends: 14d, 2026-01-02."),
            click.option("--lenient", is_flag=True, help="Go on counting when the failure changes."),
            click.option("--broad", is_flag=True, help="Cover several failures at once."),
            click.option("--dry-run", is_flag=True, help="Show what it would cover, and do nothing."),
        )
    ):
        function = option(function)
    return function


@click.group()
def waiver() -> None:
    """Ask for a waiver, decide about it, and look at what is waived."""


@waiver.command()
@asking
@deciding
@pass_context
def request(context: Context, /, **asked: Any) -> None:
    """Ask that a requirement need not be met: TESTCASE for SUBJECT.

    Where the configuration asks for approvals nothing changes until others approve; else the waiver
    counts at once.

    Exit codes: 0 requested or granted, 1 not allowed, 3 error.
    """
    from ..operations import waive

    _ask(context, waive.request, **asked)


@waiver.command()
@asking
@deciding
@pass_context
def grant(context: Context, /, **asked: Any) -> None:
    """Waive TESTCASE for SUBJECT at once, where no approval is needed.

    Exit codes: 0 granted, 1 not allowed, 3 error.
    """
    from ..operations import waive

    _ask(context, waive.grant, **asked)


@waiver.command()
@click.argument("number", metavar="WAIVER", type=waiver_name)
@click.option("--anyway", is_flag=True, help="Also where the failure changed since it was requested.")
@deciding
@pass_context
def approve(
    context: Context, number: int, anyway: bool, comment: str, username: str | None, as_json: bool
) -> None:
    """Approve a request of somebody else.

    Exit codes: 0 approved, 1 not allowed or decided already, 3 error.
    """
    from ..operations import waive

    desk = open_desk(context)
    done = waive.approve(desk, number, acting(context, username), comment, anyway=anyway)
    if told_as_json(desk, done, as_json):
        names = ", ".join(done.approved_by)
        say(f"{done.name}: {word(str(desk.standing(done)))}, approved by {names} (≠ {done.username} ✔)")
        if done.opened is None:
            say("another approval is needed")
        else:
            print_effect(context, desk, done)
        print_next(done)


@waiver.command()
@click.argument("number", metavar="WAIVER", type=waiver_name)
@deciding
@pass_context
def reject(context: Context, number: int, comment: str, username: str | None, as_json: bool) -> None:
    """Close a request; nothing is waived.

    Exit codes: 0 rejected, 1 not allowed or decided already, 3 error.
    """
    from ..operations import waive

    desk = open_desk(context)
    done = waive.reject(desk, number, acting(context, username), comment)
    if told_as_json(desk, done, as_json):
        say(f"{done.name}: {word('rejected')}")
        next_command("ci-results inbox")


@waiver.command()
@click.argument("number", metavar="WAIVER", type=waiver_name)
@deciding
@pass_context
def withdraw(context: Context, number: int, comment: str, username: str | None, as_json: bool) -> None:
    """Take a waiver or a request back, one's own or another's.

    Exit codes: 0 withdrawn, 1 not allowed or ended already, 3 error.
    """
    from ..operations import waive

    desk = open_desk(context)
    done = waive.withdraw(desk, number, acting(context, username), comment)
    if told_as_json(desk, done, as_json):
        say(f"{done.name}: {word('withdrawn')}")
        print_next(done)


@waiver.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def announce(context: Context, as_json: bool) -> None:
    """Tell followers which waivers have ended by themselves, each once; for a timer.

    Nothing depends on it: a waiver ends at its time, announced or not.
    """
    from ..operations.waive import announce_expired
    from ..waive.told import told

    desk = open_desk(context)
    ended = announce_expired(desk)
    if as_json:
        print_json([told(one, desk.standing(one)) for one in ended])
        return
    print_waivers(desk, ended)
    say(f"{plural(len(ended), 'end')} announced")
    next_command("ci-results waiver list --state any")


@waiver.command("list")
@click.option("--subject", help="Of this subject: an identifier as given.")
@click.option("--testcase", help="Of this testcase.")
@click.option("--product-version", help="For this product version.")
@click.option("--user", help="Requested by this user.")
@click.option("--purpose", metavar="KIND:VALUE", help="For this purpose only.")
@click.option("--state", type=click.Choice(STAGES), default="active", show_default=True)
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def list_(
    context: Context,
    subject: str | None,
    testcase: str | None,
    product_version: str | None,
    user: str | None,
    purpose: str | None,
    state: str,
    limit: int,
    as_json: bool,
) -> None:
    """List waivers, the newest first."""
    from ..query.waivers import Stage, WaiverFilter, WaiverQuery
    from ..store.identity import to_us

    desk = open_desk(context)
    asked = WaiverFilter(
        subject=subject, testcase=testcase, product_version=product_version, username=user, purpose=purpose
    )
    seq, now = desk.store.waivers.seq(), to_us(desk.now())
    found = desk.store.waivers.find(
        WaiverQuery(filters=[asked], stage=Stage(state), seq=seq, now=now, limit=limit)
    )
    if as_json:
        from ..waive.told import told

        print_json([told(one, desk.standing(one)) for one in found])
        return
    print_waivers(desk, found)
    say(f"{plural(len(found), 'waiver')}{' or more' if len(found) == limit else ''}")
    next_command(
        *([f"ci-results waiver show {found[0].name}"] if found else ["ci-results waiver list --state any"])
    )


@waiver.command()
@click.argument("number", metavar="WAIVER", type=waiver_name)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def show(context: Context, number: int, as_json: bool) -> None:
    """Show a waiver: what it says, what it covers now, and every step, refused attempts among them."""
    from ..domain.waiver import Standing
    from ..operations.waive import preview
    from ..waive.told import told, told_event

    desk = open_desk(context)
    one = desk.store.waivers.waiver(number)
    met = preview(desk, one.terms)
    events = desk.store.waivers.of_waiver(number)
    if as_json:
        covers = [{"result": each.id, "changed": each in met.changed} for each in met.waived]
        steps = [told_event(event) for event in events]
        print_json(told(one, desk.standing(one)) | {"steps": steps, "covers": covers})
        return
    stands = str(desk.standing(one))
    click.echo(f"{one.name}  {word(stands)}{'  ' + word('suspended') if met.changed else ''}")
    print_terms(one.terms)
    print_met(met)
    if desk.standing(one) in (Standing.PENDING, Standing.ACTIVE):
        print_effect(context, desk, one)
    print_table(
        ("time", "step", "who", "comment"),
        [
            (
                f"{event.time:%Y-%m-%dT%H:%M:%SZ}",
                f"{event.act.step}{' refused' if event.act.refused else ''}",
                " through ".join(filter(None, (event.act.username, event.act.proxied_by))),
                event.act.refused or event.act.comment,
            )
            for event in events
        ],
    )
    if stands == "pending":
        next_command(
            f"ci-results waiver approve {one.name} --comment WHY",
            f"ci-results waiver reject {one.name} --comment WHY",
        )
    else:
        print_next(one)


@waiver.command("preview")
@click.argument("number", metavar="WAIVER", type=waiver_name)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def preview_(context: Context, number: int, as_json: bool) -> None:
    """Say what approving a request would do: which results it covers, which decisions it turns.

    Of a waiver that counts it says what it does: each decision without it, and with it.

    Exit codes: 0 told, 3 error.
    """
    from ..operations.waive import preview

    desk = open_desk(context)
    one = desk.store.waivers.waiver(number)
    stands = str(desk.standing(one))
    if not as_json:
        click.echo(f"{one.name}  {word(stands)}")
    print_preview(context, desk, one, preview(desk, one.terms), as_json)
    if as_json:
        return
    if stands == "pending":
        next_command(f"ci-results waiver approve {one.name} --comment WHY")
    else:
        print_next(one)


def _ask(
    context: Context,
    operation: Callable[..., list[Waiver]],
    /,
    *,
    purpose: str | None,
    expires: datetime | None,
    broad: bool,
    dry_run: bool,
    comment: str,
    username: str | None,
    as_json: bool,
    **said: Any,
) -> None:
    from ..domain.purpose import Purpose
    from ..domain.waiver import Terms
    from ..operations.waive import Wish, preview

    terms = Terms(purpose=None if purpose is None else Purpose.parse(purpose), expires_at=expires, **said)
    desk = open_desk(context, must_exist=dry_run)
    wish = Wish(terms=terms, comment=comment, broad=broad)
    if dry_run:
        _foresee(context, desk, wish, as_json)
        return
    met = preview(desk, terms)
    (done,) = operation(desk, [wish], acting(context, username))
    if not told_as_json(desk, done, as_json):
        return
    print_met(met)
    say(f"{done.name}: {word(str(desk.standing(done)))}")
    if done.opened is None:
        say("it counts when others have approved it")
        next_command(f"ci-results waiver approve {done.name} --comment WHY", "ci-results inbox")
    else:
        print_next(done)


def _foresee(context: Context, desk: Desk, wish: Wish, as_json: bool) -> None:
    """Show what a waiver would be and do; then raise InvalidError where it would be refused."""
    from ..errors import InvalidError
    from ..operations.waive import foreseen, preview

    refusal, terms = None, wish.terms
    try:
        terms = foreseen(desk, wish)
    except InvalidError as err:
        refusal = err
    print_preview(context, desk, terms, preview(desk, terms), as_json)
    if refusal is not None:
        raise refusal
    if not as_json:
        needed = desk.rules.of(terms.testcase).approvals
        say(f"{plural(needed, 'approval')} of others needed" if needed else "it would count at once")
        next_command("the same without --dry-run")
