"""Folding: the events of waivers, in order, become the waivers that they come to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..domain.waiver import Step, Turn, Waiver, WaiverEvent


def fold(events: Iterable[WaiverEvent]) -> list[Waiver]:
    """Return the waivers that `events` tell of, in the order of their first events here.

    All events of a waiver are there, in order; refused attempts do nothing but count as seen.
    """
    waivers: dict[int, Waiver] = {}
    for event in events:
        number = event.act.waiver
        if number is None:
            continue
        known = waivers.get(number)
        waivers[number] = _begun(event) if known is None else _after(known, event)
    return list(waivers.values())


def _begun(event: WaiverEvent) -> Waiver:
    terms = event.act.terms
    if terms is None or event.act.waiver != event.id:
        raise AssertionError(f"waiver event {event.id} begins no waiver")
    opened = event if event.act.turn is Turn.OPENS else None
    return Waiver(id=event.id, terms=terms, first=event, opened=opened, last=event.id)


def _after(waiver: Waiver, event: WaiverEvent) -> Waiver:
    act = event.act
    waiver = replace(waiver, last=event.id)
    if act.refused is not None:
        return waiver
    if act.step is Step.APPROVE:
        waiver = replace(waiver, approvals=(*waiver.approvals, event))
    if act.turn is Turn.OPENS:
        return replace(waiver, opened=event)
    if act.turn is Turn.CLOSES:
        return replace(waiver, closed=event)
    return waiver
