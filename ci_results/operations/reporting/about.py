"""What a caller says of report files, and what became of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from ...domain.itemtype import ItemType
from ...domain.ownership import Ownership
from ...domain.page import Committed
from ...domain.testcase import check_testcase
from ...errors import InvalidError, shown
from ...normalise.items import check_item
from ...normalise.normaliser import check_url
from ...normalise.text import MAX_VALUE, check_text

SOURCE = "report"
"""The source that reports are stored under where the caller names none."""

MAX_GROUP = 1_024
_NOTHING = Committed()


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the caller knows of the files: see Report.

    prefix  namespace put before each testcase name: "baseos"
    url     where a person reads about the run
    groups  uuids of groups that the results belong to, as in ResultsDB
    source  what the results are said to come from
    ownership  the testcases that they may say something about, None = any
    run     names the run that they belong to: told again, only what has changed is stored. None = each
            file is a run of its own, and one that was read before is not read again
    """

    item: str
    item_type: str = "koji_build"
    prefix: str
    time: datetime | None = None
    scenario: str | None = None
    arch: str | None = None
    url: str | None = None
    groups: tuple[str, ...] = ()
    source: str = SOURCE
    ownership: Ownership | None = None
    run: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What one result of a file would be: "new", "same" or "superseding"; `now` is what the store says of
    its testcase, scenario and architecture, None where it says nothing."""

    testcase: str
    item: str
    scenario: str | None
    arch: str | None
    outcome: str
    now: str | None
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """What became of one file, or of one in an archive ("nightly.tar.gz!unit/junit.xml").

    state     "stored", "same" (read before), "empty" (nothing in it), "unreadable" (quarantined),
              "unreachable" (nobody gave it)
    format    the format that read it, None where none did
    outcomes  how many of its cases have which outcome, where it was read now: {"PASSED": 3}
    reason    why it is not stored, or not all of it
    foreseen  where nothing was to be written: each result
    """

    file: str
    state: str
    counts: Committed = _NOTHING
    format: str | None = None
    run: str | None = None
    outcomes: Mapping[str, int] = field(default_factory=dict)
    reason: str | None = None
    foreseen: tuple[Foreseen, ...] = ()


def told_of(about: About, file: str, digest: str, reader: str | None) -> dict[str, str]:
    """Return what is kept with a record that could not be read; `about_from` reads it.

    `reader` is the format that read the file, None where none did: the record is then the file itself.
    """
    time = about.time and about.time.isoformat()
    groups = json.dumps(about.groups) if about.groups else None
    said = {
        "item": about.item, "item_type": about.item_type, "prefix": about.prefix, "time": time,
        "scenario": about.scenario, "arch": about.arch, "url": about.url, "run": about.run,
        "groups": groups, "file": file, "sha256": digest, "format": reader,
    }  # fmt: skip
    return {name: value for name, value in said.items() if value}


def about_from(told: Mapping[str, str], source: str) -> About:
    """Return what a kept record's door was told of it. Raises KeyError where that is no report's."""
    return About(
        item=told["item"],
        item_type=told["item_type"],
        prefix=told["prefix"],
        time=datetime.fromisoformat(told["time"]) if "time" in told else None,
        scenario=told.get("scenario"),
        arch=told.get("arch"),
        url=told.get("url"),
        run=told.get("run"),
        groups=tuple(json.loads(told.get("groups", "[]"))),
        source=source,
    )


def filed_values(filed: Filed) -> dict[str, Any]:
    """Return what is answered of one file, as JSON has it."""
    said = asdict(filed)
    del said["counts"]["ids"]
    del said["foreseen"]
    return said


def check_about(about: About, item_types: Mapping[str, ItemType]) -> None:
    """Hold what the caller says to the rules that each result obeys. Raises InvalidError."""
    kind = item_types.get(about.item_type)
    if kind is None:
        known = ", ".join(sorted(item_types))
        raise InvalidError(f"item type {shown(about.item_type)} is not known; known are {known}")
    check_item(kind, about.item)
    check_testcase(f"{about.prefix}.name")
    if about.url is not None:
        check_url(about.url)
    for name, text in (("scenario", about.scenario), ("arch", about.arch)):
        if text is not None:
            check_text(text, name, MAX_VALUE)
    for group in about.groups:
        if not group or len(group) > MAX_GROUP:
            raise InvalidError(f"a group is named by 1 to {MAX_GROUP} characters, got {shown(group)}")
        check_text(group, "group", MAX_GROUP)
