"""Read JUnit text in a test's line: `read`, and its pieces `cases`, `whole`, `garbled`."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

from ci_results.domain.garbled import Garbled
from ci_results.domain.observation import Observation
from ci_results.domain.report import Report
from ci_results.domain.run import Run
from ci_results.formats.junit import JUnit

ENDED = datetime(2026, 11, 22, 12, tzinfo=UTC)


def about(**changes: Any) -> Report:
    known: dict[str, Any] = {
        "item": "bash-5.2.26-3.fc40",
        "item_type": "koji_build",
        "prefix": "baseos.tier1",
        "run": Run(key="tier1#42"),
    }
    return Report(**{**known, **changes})


def read(xml: str | bytes, **changes: Any) -> list[Observation | Garbled]:
    data = xml.encode() if isinstance(xml, str) else xml
    return list(JUnit().read(io.BytesIO(data), about(**changes)))


def cases(seen: list[Observation | Garbled]) -> list[Observation]:
    return [each for each in seen if isinstance(each, Observation) and each.parent is not None]


def whole(seen: list[Observation | Garbled]) -> Observation:
    (found,) = [each for each in seen if isinstance(each, Observation) and each.parent is None]
    return found


def garbled(seen: list[Observation | Garbled]) -> list[Garbled]:
    return [each for each in seen if isinstance(each, Garbled)]
