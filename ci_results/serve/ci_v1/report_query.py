"""What the query of POST /reports says of the reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from ...domain.user import ANONYMOUS, User
from ...operations.reporting.about import SOURCE, About
from ...wire.resultsdb_query import parameters
from ...wire.validation import RefusedBody, Wrong, problem, rule
from ..surroundings import ReportRules

SEVERAL = "group"
NO_TEXT = "\N{REPLACEMENT CHARACTER}"
"""What bytes that are no text were read as."""
KNOWN = ("item", "item_type", "testcase_prefix", "scenario", "arch", SEVERAL, "url", "time")


def about(query: str, rules: ReportRules, user: User) -> About:
    """Read the query; what it does not say is of the configuration. Raises RefusedBody."""
    given, defaults = parameters(query), rules.table
    problems: list[Mapping[str, Any]] = []

    def refuse(wrong: Wrong, name: str, value: object) -> None:
        problems.append(problem(wrong, (name,), value))

    for name, values in given.items():
        if name not in KNOWN:
            refuse(Wrong("extra_forbidden", "Extra inputs are not permitted"), name, values[-1])
        elif name != SEVERAL and len(values) > 1:
            refuse(rule("is given more than once"), name, values[-1])
        elif any(NO_TEXT in value for value in values):
            refuse(rule("must be text in UTF-8, without NUL"), name, values[-1])
    said = {name: values[-1] for name, values in given.items() if values[-1]}
    if "item" not in said:
        refuse(Wrong("missing", "Field required"), "item", query)
    prefix = said.get("testcase_prefix") or defaults.namespace
    if prefix is None:
        refuse(Wrong("missing", "Field required"), "testcase_prefix", query)
    time = _time(said.get("time"), refuse)
    if problems:
        raise RefusedBody(problems)
    return About(
        item=said["item"],
        item_type=said.get("item_type") or defaults.item_type,
        prefix=prefix or "",
        time=time,
        scenario=said.get("scenario"),
        arch=said.get("arch"),
        url=said.get("url"),
        groups=tuple(dict.fromkeys(given.get(SEVERAL, ()))),
        ownership=rules.ownership,
        source=SOURCE if user is ANONYMOUS else f"{SOURCE}:{user.name}",
    )


def _time(text: str | None, refuse: Callable[[Wrong, str, object], None]) -> datetime | None:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        refuse(rule("must be a time as ISO 8601 writes it: 2026-01-02T03:04:05Z"), "time", text)
        return None
