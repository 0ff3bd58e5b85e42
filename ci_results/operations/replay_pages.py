"""Lines of a feed as pages of results, each with what another store noted of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from ..domain.page import Noted, Page
from ..domain.result import Result
from ..domain.run import Run
from ..store.identity import from_us
from ..wire.feed import NAMED, implied
from .feeds import FeedLine

Attributes = Mapping[str, tuple[str, ...]]
Said = Mapping[str, Any]
"""What a line of a result says; see wire.feed_reading."""


def pages_of(lines: Sequence[FeedLine]) -> Iterator[Sequence[FeedLine]]:
    """Cut lines of results into pages: of one commit, with ids that follow each other, each run together."""
    page: list[FeedLine] = []
    runs: set[object] = set()
    for line in lines:
        said = _said(line)
        if page:
            before = _said(page[-1])
            follows = (line.seq, before["id"] + 1) == (page[-1].seq, said["id"])
            again = _run(said) in runs and _run(said) != _run(before)
            if not follows or again or said["source"] != before["source"]:
                yield page
                page, runs = [], set()
        page.append(line)
        runs.add(_run(said))
    if page:
        yield page


def page_of(lines: Sequence[FeedLine], *, kept: bool) -> Page:
    """Return the page that lines of results say; `kept`: with their seq, ids and times of receipt."""
    said = [_said(line) for line in lines]
    first = said[0]
    noted = Noted(
        digests=[each["stored_digest"] for each in said],
        signatures=[each["stored_signature"] for each in said],
        seq=first["seq"] if kept else 0,
        first_id=first["id"] if kept else 0,
        received_at=from_us(first["received_at"]) if kept else None,
        superseded=[pair for each in said for pair in _pairs(each)],
    )
    return Page(
        source=first["source"],
        door=first["stored_door"] if kept else "import",
        results=list(_results(said)),
        noted=noted,
    )


def _pairs(said: Said) -> Iterator[tuple[int, int]]:
    """Yield (old, new) of who superseded whom when a result came."""
    yield from ((old, said["id"]) for old in said["stored_supersedes"] or ())
    if said["stored_superseded_by"] is not None:
        yield said["id"], said["stored_superseded_by"]


def _results(said: Sequence[Said]) -> Iterator[Result]:
    """Yield results; what their run keeps for them stands in the run."""
    for (key, url, kept), its in groupby(said, key=lambda each: (*_run(each), _of_run(each))):
        run = None if key is None else Run(key=key, ref_url=url, data=kept)
        for each in its:
            names = each["data"] if run is None else each["stored_own"] or ()
            yield _result(each, run, {name: each["data"].get(name, ()) for name in names})


def _of_run(said: Said) -> Attributes:
    """Return the attributes that the run of a result keeps."""
    own, hidden = frozenset(said["stored_own"] or ()), said["stored_hidden"] or {}
    kept = {
        name: hidden.get(name, values)
        for name, values in said["data"].items()
        if name in hidden or name not in own
    }
    return {**kept, **hidden}


def _result(said: Said, run: Run | None, own: Attributes) -> Result:
    about = {
        field: implied(said["data"], name) if (kept := said[f"stored_{name}"]) is None else kept
        for name, field in NAMED
    }
    return Result(
        source=said["source"], key=said["key"], testcase=said["testcase"], outcome=said["outcome"],
        item=about["item"], item_type=about["item_type"], scenario=about["scenario"] or None,
        arch=about["arch"] or None, submit_time=from_us(said["submit_time"]), duration_s=said["duration_s"],
        ref_url=said["ref_url"] if run is None else said["stored_ref_url"], note=said["note"],
        data=own, run=run, item_parts=said["stored_parts"] or {}, groups=tuple(said["groups"]), verbatim=True,
    )  # fmt: skip


def _run(said: Said) -> tuple[str | None, str | None]:
    return said["run"], said["stored_run_url"]


def _said(line: FeedLine) -> Said:
    return {} if line.line is None else line.line.said
