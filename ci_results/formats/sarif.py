"""SARIF 2.1.0, what static analysers exchange: recognise it, read it. See docs/formats/sarif.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from .findings import Findings
from .json_records import json_records, shape
from .sarif_runs import RESULT, WANTED, Runs
from .telling import Telling
from .whole import WHOLE

OUTCOMES: dict[str, str] = {
    **WHOLE,
    "level error": Outcome.FAILED,
    "level warning": Outcome.NEEDS_INSPECTION,
    "level note": Outcome.INFO,
    "level none": Outcome.INFO,
    "kind pass": Outcome.PASSED,
    "kind open": Outcome.NEEDS_INSPECTION,
    "kind review": Outcome.NEEDS_INSPECTION,
    "kind informational": Outcome.INFO,
    "kind notapplicable": Outcome.INFO,
    "suppressed": Outcome.INFO,
    "unchanged": Outcome.INFO,
}


class SARIF:
    """Reads a SARIF log: one observation a rule that found something, then one for the whole log.

    Findings are summed up by rule, and told when their run ends, for a rule's level may be declared
    behind them.
    """

    name: ClassVar[str] = "sarif"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether it has `runs`, and its schema, its version or the first run's tool is SARIF's."""
        found = shape(head)
        if "sarif" in str(found.get(("$schema",), "")).lower():
            return True
        if found.get(("runs",)) != []:
            return False
        return found.get(("version",)) == "2.1.0" or any(path[:3] == ("runs", "[]", "tool") for path in found)

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations; never raises for what the log holds."""
        telling = Telling(about, self.name, OUTCOMES, checker=True)
        runs = Runs(Findings(OUTCOMES))
        for path, value in json_records(stream, *WANTED):
            if isinstance(value, Garbled):
                yield telling.unread(value)
            elif path == RESULT and not isinstance(value, Mapping):
                yield from telling.bad(value, "a result that is no object")
            else:
                runs.take(path, value)
        runs.close()
        telling.time = runs.time
        yield from runs.findings.children(telling, ran=True)
        telling.ran = max(telling.ran, runs.count - runs.silent)
        said = [f"{runs.findings.total} findings"]
        if runs.silent:
            said.append(f"{runs.silent} of {runs.count} runs tell no results")
        if runs.failed:
            said.append("the tool says that it failed")
        word = "error" if runs.failed else "inspect" if runs.silent else None
        yield from telling.end(word=word, note="; ".join(said), total="checks")
