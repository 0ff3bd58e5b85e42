"""A test run exported from Nitrate as XML: recognise it, read it. See docs/formats/manual.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.report import Report
from . import plain_text
from .manual_csv import TRACKED as OUTCOMES
from .manual_csv import told
from .telling import Telling
from .xml_elements import Element
from .xml_head import root_name
from .xml_records import xml_records


class Nitrate:
    """Reads the export of a run: one observation a case run, then one for all."""

    name: ClassVar[str] = "nitrate"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether the first element is testcaseruns."""
        return root_name(head) == "testcaseruns"

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the export holds."""
        telling = Telling(about, "manual", OUTCOMES)
        for each in xml_records(stream, telling, ("testcaseruns",), ("testcaserun",)):
            if isinstance(each, Garbled):
                yield each
            elif isinstance(each, Element):
                yield _case_run(each, telling)
        yield from telling.end(total="case runs")


def _case_run(run: Element, telling: Telling) -> Observation:
    word = run.get("status").lower() or "no status"
    links = (plain_text.link(each.get("url")) for each in run.at("loglinks").all("loglink"))
    issues = ", ".join(each.get("key") for each in list(run.at("issues").all("issue"))[:100])
    said = {"case": run.get("case_id"), "category": run.get("category"), "issue": issues}
    return telling.child(
        run.get("summary"),
        word,
        key=run.get("case_run_id") or None,
        ref_url=next((link for link in links if link), None),
        data=told(said) if run.get("automated") != "1" else {**told(said), "method": "automated"},
        ran=word not in ("idle", "waived"),
    )
