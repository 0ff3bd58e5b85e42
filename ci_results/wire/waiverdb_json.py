"""What WaiverDB 1.0 answers: waivers, and pages of them with their links. Obeys COMPAT 2.1, 2.6."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Any
from urllib.parse import urlencode

from ..domain.waiver import Waiver
from .waiverdb_subject import old_form


def waiver(one: Waiver) -> dict[str, Any]:
    """Return a waiver as served, with the time at which it was asked for."""
    terms, first = one.terms, one.first
    act = first.act
    return {
        "id": one.id,
        "subject_type": terms.subject_type,
        "subject_identifier": terms.subject,
        "subject": old_form(terms.subject_type, terms.subject),
        "testcase": terms.testcase,
        "username": act.username,
        "proxied_by": act.proxied_by,
        "scenario": terms.scenario,
        "product_version": terms.product_version,
        "waived": terms.waived,
        "comment": act.comment,
        "timestamp": first.time.astimezone(UTC).replace(tzinfo=None).isoformat(),
    }


def listed(waivers: Iterable[Waiver]) -> dict[str, Any]:
    """Return a list that has no pages."""
    return {"data": [waiver(one) for one in waivers]}


def page(
    waivers: Sequence[Waiver], url: str, others: Sequence[tuple[str, str]], number: int, pages: int
) -> dict[str, Any]:
    """Return page `number` of `pages`.

    url     of the list, without its query
    others  the other parameters of the request, each with its first value
    """

    rest = "".join(f"&{urlencode([each], safe='/,:')}" for each in others)

    def link(to: int) -> str:
        return f"{url}?page={to}{rest}"

    return {
        **listed(waivers),
        "prev": link(number - 1) if number > 1 else None,
        "next": link(number + 1) if number < pages else None,
        "first": link(1),
        "last": link(pages),
    }


NO_PAGE: dict[str, Any] = {"data": [], "prev": None, "next": None, "first": None, "last": None}
"""What a page that does not exist is answered with."""
