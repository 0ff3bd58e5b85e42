"""JUnit XML in the dialects of some thirty producers: recognise it, read it. See docs/formats/junit.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, ClassVar

from ..domain.garbled import Garbled
from ..domain.observation import Observation
from ..domain.report import Report
from .junit_cases import ROOTS
from .junit_outcome import OUTCOMES
from .junit_reading import Reading
from .xml_head import root_name

OF_CHECK = re.compile(rb"<testsuites\s[^<>]{0,1000}http://check\.sourceforge\.net/ns")
"""The framework Check has elements of its own below that one, see unit_xml."""


class JUnit:
    """Reads a JUnit file as a stream: one observation a case, then one for the whole file.

    Registered as a Format; it holds no state, one instance reads any number of files.
    """

    name: ClassVar[str] = "junit"
    outcomes: ClassVar[dict[str, str]] = OUTCOMES

    def recognises(self, head: bytes) -> bool:
        """Say whether the first element is testsuites, testsuite or testcase, not of Check's namespace."""
        return root_name(head) in ROOTS and OF_CHECK.search(head) is None

    def read(self, stream: IO[bytes], about: Report) -> Iterator[Observation | Garbled]:
        """Yield the observations of one file; never raises for what the file holds.

        The key of a case is its testcase without the prefix, `::` before its own name, numbered where
        it comes again: "tests.test_login::test_ok#2"; that of the file is "overall", so that each file
        needs a run of its own. All observations of a file share one time: `about.time`, else the end
        that the file tells of, else None.
        """
        return Reading(stream, about).observations()
