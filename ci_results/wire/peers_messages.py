"""Messages as ResultsDB, WaiverDB and Greenwave publish them, of what we store. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from hashlib import sha1
from typing import Any
from urllib.parse import quote
from uuid import UUID

from ..domain.happening import DECISION, Happening
from ..domain.receipt import Receipt
from ..domain.result import Result
from .decision_event import peers_message
from .resultsdb_client import attributes, to_time

RESULT_TOPIC = "resultsdb.result.new"
WAIVER_TOPIC = "waiverdb.waiver.new"
DECISION_TOPIC = "greenwave.decision.update"

_OURS = UUID("3f6b2c1e-8c5d-5a7e-9d43-5b8f0a6c2e11").bytes


def event_id(origin: str, kind: str, seq: int, number: int, moment: str) -> str:
    """Return what names an event among the messages of everybody, the same whenever it is sent.

    moment  when it was stored, as text: it tells two stores of one name apart
    """
    said = sha1(
        _OURS + f"{origin} {kind} {seq} {number} {moment}".encode(), usedforsecurity=False
    ).hexdigest()
    # What uuid5 makes of it: version 5, and the two highest bits of the fourth part.
    fourth = f"{0x80 | int(said[16:18], 16) & 0x3F:02x}"
    return f"{said[:8]}-{said[8:12]}-5{said[13:16]}-{fourth}{said[18:20]}-{said[20:32]}"


def result_message(result: Result, receipt: Receipt, ref_urls: Mapping[str, str], api: str) -> dict[str, Any]:
    """Return a result as ResultsDB announces it: as its API 2.0 serves it at `api`, "http://host/api/v2.0"."""
    run = result.run
    said = None if result.submit_time is None else to_time(result.submit_time)
    name = result.testcase
    return {
        "data": attributes(result),
        "groups": list(result.groups),
        "href": f"{api}/results/{receipt.id}",
        "id": receipt.id,
        "note": result.note,
        "outcome": result.outcome,
        "ref_url": result.ref_url or (None if run is None else run.ref_url),
        "submit_time": said and said.removesuffix(".000000"),
        "testcase": {
            "href": f"{api}/testcases/{_quoted(name)}",
            "name": name,
            "ref_url": ref_urls.get(name),
        },
    }


@lru_cache(maxsize=10_000)
def _quoted(testcase: str) -> str:
    return quote(testcase, safe="/")


def peers_body(happening: Happening) -> Mapping[str, Any] | None:
    """Return what WaiverDB or Greenwave would announce, None where they announce nothing of the kind."""
    return peers_message(happening.body) if happening.event == DECISION else happening.peer


def happened_at(happening: Happening) -> datetime:
    """Return when it happened."""
    return datetime.fromisoformat(str(happening.body["time"]))


def decision_headers(body: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers that Greenwave's message has for those who choose by headers."""
    names = ("subject_type", "subject_identifier", "product_version", "decision_context", "summary")
    return {
        "policies_satisfied": str(body["policies_satisfied"]).lower(),
        **{name: str(body[name]) for name in names},
    }
