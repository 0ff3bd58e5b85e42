"""What pages about waivers show: the waiver, what it covers, and which decisions it turns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from ...domain.purpose import Purpose
from ...domain.stored import StoredResult
from ...domain.waiver import Standing, Terms, Waiver
from ...errors import BusyError, InvalidError, PluginError, TooBroadError
from ...operations.gate import Gate
from ...operations.preview import effects
from ...operations.preview import told as told_effect
from ...operations.waive import Desk, Preview, Wish, foreseen, inbox, preview
from ...query.waivers import Stage, WaiverFilter, WaiverQuery
from ...store.identity import to_us
from ...waive.ends import read_end
from ...waive.told import told, told_event
from ..gates.facts import view_time

FORESEEN = 20
"""Requests of which the inbox says what they would turn."""

PAST = timedelta(days=90)
TEXTS = ("subject_type", "subject", "testcase", "product_version", "scenario", "arch", "purpose", "expires")
"""What a request says; its form has a field for each."""

Facts = dict[str, Any]


def terms_of(said: Mapping[str, str], now: datetime) -> Terms:
    """Return the terms that a form, or an address, says. Raises InvalidError where they are none."""
    given = {name: said.get(name, "").strip() for name in TEXTS}
    for name in ("subject", "testcase", "product_version"):
        if not given[name]:
            raise InvalidError(f"{name.replace('_', ' ')} is missing: say for what the waiver is")
    return Terms(
        subject_type=given["subject_type"] or "koji_build",
        subject=given["subject"],
        testcase=given["testcase"],
        product_version=given["product_version"],
        scenario=given["scenario"] or None,
        arch=given["arch"] or None,
        purpose=Purpose.parse(given["purpose"]) if given["purpose"] else None,
        expires_at=read_end(given["expires"], now) if given["expires"] else None,
        lenient=bool(said.get("lenient")),
    )


def waiver_facts(desk: Desk, gate: Gate | None, number: int) -> Facts:
    """Return all about one waiver. Raises NotFoundError."""
    one = desk.store.waivers.waiver(number)
    stands = desk.standing(one)
    met = preview(desk, one.terms)
    open_ = stands in (Standing.PENDING, Standing.ACTIVE)
    return {
        **told(one, stands),
        "steps": [told_event(event) for event in desk.store.waivers.of_waiver(number)],
        "last": one.last,
        "approvals_needed": desk.rules.of(one.terms.testcase).approvals,
        "covers": _covers(met),
        "effect": effect_facts(gate, one) if open_ else None,
        "before": waived_before(desk, one.terms, one.id),
    }


def inbox_facts(desk: Desk, gate: Gate | None) -> Facts:
    """Return what waits for somebody, each request with what it would turn."""
    found = inbox(desk)
    seen = 0
    parts: Facts = {}
    for name in ("pending", "suspended", "expiring"):
        rows = []
        for one in getattr(found, name):
            row = told(one, desk.standing(one))
            row["effect"] = effect_facts(gate, one) if name == "pending" and seen < FORESEEN else None
            seen += name == "pending"
            rows.append(row)
        parts[name] = rows
    return parts


def effect_facts(gate: Gate | None, wanted: Waiver | Terms) -> Facts:
    """Say which decisions a waiver turns: `decisions`; `error` where that cannot be told now."""
    if gate is None:
        return {"decisions": [], "error": "no policy is configured here, so nothing is decided"}
    try:
        return {"decisions": [told_effect(each) for each in effects(gate, wanted)], "error": None}
    except (BusyError, PluginError, TooBroadError, InvalidError) as err:
        return {"decisions": [], "error": str(err)}


def request_facts(desk: Desk, gate: Gate | None, wish: Wish) -> Facts:
    """Say what a request would cover and turn, or why it would be refused."""
    refused, terms = None, wish.terms
    try:
        terms = foreseen(desk, wish)
    except InvalidError as err:
        refused = str(err)
    met = preview(desk, terms)
    return {
        "refused": refused,
        "covers": _covers(met),
        "effect": effect_facts(gate, terms),
        "before": waived_before(desk, terms, None),
        "approvals_needed": desk.rules.of(terms.testcase).approvals,
    }


def waived_before(desk: Desk, terms: Terms, number: int | None) -> int:
    """Count the waivers of a testcase that were opened in the last 90 days, but for this one."""
    since = to_us(desk.now() - PAST)
    found = desk.store.waivers.find(
        WaiverQuery(
            filters=[WaiverFilter(testcase=terms.testcase, since=since)],
            stage=Stage.OPENED, seq=desk.store.waivers.seq(), now=to_us(desk.now()), limit=1_000,
        )
    )  # fmt: skip
    return sum(one.id != number for one in found)


def _covers(met: Preview) -> Facts:
    return {
        "waived": [_result(one, changed=one in met.changed) for one in met.waived],
        "good": [_result(one) for one in met.good],
        "unfinished": [_result(one) for one in met.unfinished],
    }


def _result(one: StoredResult, *, changed: bool = False) -> Facts:
    return {
        "id": one.id, "outcome": one.outcome, "time": view_time(one.time), "scenario": one.scenario,
        "arch": one.arch, "note": one.note, "ref_url": one.ref_url, "changed": changed,
    }  # fmt: skip
