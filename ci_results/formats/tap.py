"""TAP, the Test Anything Protocol, versions 12, 13 and 14, and the kernel's KTAP. See docs/formats/tap.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.outcome import Outcome
from ..domain.report import Report
from .tap_line import BAIL, VERSION, plan
from .tap_reading import Reading
from .telling import Telling
from .text_lines import first_lines
from .whole import WHOLE

OUTCOMES: dict[str, str] = {
    **WHOLE,
    "ok": Outcome.PASSED,
    "not ok": Outcome.FAILED,
    "skip": Outcome.INFO,
    "todo": Outcome.INFO,
    "xfail": Outcome.INFO,
    "timeout": Outcome.ERROR,
    "bail out": Outcome.ERROR,
    "skipped": Outcome.INFO,
}
"""TAP's words; `skipped` is said of a whole stream (`1..0 # SKIP`), so is `bail out`."""
_NUMBERED = re.compile(r"(?:not )?ok \d+(?:\s|$)")
_ENOUGH = 2


class TAP:
    """Reads a TAP stream: one observation a test, its subtests below it, then one for the whole stream."""

    name: ClassVar[str] = "tap"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether TAP begins in it: a version, a plan with a test or nothing beside it, or tests."""
        plans = tests = bare = others = 0
        for line in first_lines(head):
            text = line.strip()
            if VERSION.match(text):
                return True
            if _NUMBERED.match(text):
                tests += 1
            elif plan(text):
                plans += 1
            elif text in ("ok", "not ok") or text.startswith(("ok - ", "not ok - ")) or BAIL.match(text):
                bare += 1
            elif text and not text.startswith("#"):
                others += 1
            if tests >= _ENOUGH or (plans and tests + bare):
                return True
        return bool(plans or tests) and not others

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the tests as they end; never raises for what the stream holds.

        A test is named by its description, or its number where it has none; a test of a subtest
        by its parent's name before that. TAP tells no time.
        """
        return Reading(stream, about, Telling(about, self.name, OUTCOMES)).observations()
