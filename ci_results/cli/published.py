"""Every JSON that we take, answer and print, as JSON Schema, by name.

Bodies and answers of the APIs are those of the OpenAPI document; what commands print is taken from
the types of what they print; the pages' twins are described here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..domain.bus_message import ListenerState
from ..domain.delivery import Parked
from ..domain.observation import Observation
from ..domain.stored import JobState, Quarantined, StoredResult
from ..formats.errata_table import COLUMNS, NEEDED
from ..operations.check import Answer
from ..operations.copy import Copied
from ..operations.coverage import KINDS
from ..operations.deliver import Settled, SinkAnswer
from ..operations.doctor import Finding
from ..operations.export_parquet import ParquetExport
from ..operations.import_et import Loaded
from ..operations.parity import Compared, Match, Unread
from ..operations.plugin_check import Finding as PluginFinding
from ..operations.quarantine import Retried
from ..operations.reporting.about import Filed
from ..operations.schema_check import Checked
from ..operations.status import Status
from ..serve.ci_v1.described import SCHEMAS as BATCHES
from ..serve.ci_v1.described_events import SCHEMAS as EVENTS
from ..serve.ci_v1.described_manual import schemas as manual
from ..serve.ci_v1.described_reports import SCHEMAS as REPORTS
from ..serve.openapi.answers import SCHEMAS as ERRORS
from ..serve.resultsdb_v2.described import schemas as resultsdb_v2
from ..serve.resultsdb_v3.described import schemas as resultsdb_v3
from ..serve.surroundings import vocabulary
from ..sinks.progress import SinkReport
from ..wire.dataclass_schema import TIME, of_dataclass
from ..wire.feed_schemas import SCHEMA as FEED_LINE
from ..wire.schemas import Schema, any_of, list_of, optional, record, reference
from .published_decisions import decisions
from .published_feeds import feeds
from .published_gate import gate
from .published_pages import gates, pages_of_gates
from .published_waivers import waivers

_TEXT: Schema = {"type": "string"}
_MAYBE: Schema = {"type": ["string", "null"]}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_NUMBER: Schema = {"type": "number"}
_FLAG: Schema = {"type": "boolean"}
_WHEN = {
    "type": ["string", "null"],
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?$",
    "description": "UTC, or null for never.",
}
_TEXTS = {"type": "object", "additionalProperties": _TEXT}
_COUNTS = {"type": "object", "additionalProperties": {"type": "integer"}}


def published(outcomes: Collection[str] = ()) -> dict[str, Mapping[str, Any]]:
    """Return all schemas; `outcomes` are words that the configuration adds."""
    words = vocabulary(outcomes)
    return {
        **resultsdb_v2(words),
        "NewResults": list_of(
            reference("NewResult"), "A batch; the same as lines, one result each.", minItems=1
        ),
        **resultsdb_v3(words),
        **BATCHES,
        **manual(words),
        **REPORTS,
        **EVENTS,
        **ERRORS,
        "Observation": _observation(),
        "FeedLine": FEED_LINE,
        "EtVerdict": {
            "type": "object",
            "description": "A verdict of the Errata Tool, one on each line.",
            "required": list(NEEDED),
            "properties": {
                name: {"type": ["string", "number", "null"], "description": about}
                for name, about in COLUMNS.items()
            },
        },
        **{f"cli/{name}": each for name, each in printed().items()},
        **{f"page/{name}": each for name, each in pages().items()},
    }


def _observation() -> Schema:
    found = of_dataclass(Observation, sparse=True)
    time = {"type": "string", "description": "ISO 8601 with its zone."}
    return {
        **found,
        "description": "A refused observation, as the quarantine keeps it.",
        "properties": {**found["properties"], "time": time},
    }


def printed() -> dict[str, Schema]:
    """Return what `--json` prints, by command: "quarantine-list"."""
    source = list_of(_source_row(), "The configured sources and how each fares.")
    harvested = _harvested()
    results = of_dataclass(StoredResult)
    plans = manual(vocabulary())
    return {
        "source-list": source,
        "source-check": _list(Answer),
        "harvest": list_of(harvested, "How the harvest of each source ended."),
        "report": _list(Filed),
        "import-resultsdb": harvested,
        "import-et": of_dataclass(Loaded),
        "parity": record(
            "What matches an old system's verdicts, and what does not.",
            {
                "counts": record("", dict.fromkeys(map(str, Match), _COUNTS)),
                "differences": list_of(of_dataclass(Compared)),
                "unread": list_of(of_dataclass(Unread)),
            },
        ),
        "result-list": list_of(results, "Results, newest first."),
        "result-show": results,
        "quarantine-list": _list(Quarantined),
        "quarantine-show": of_dataclass(Quarantined),
        "quarantine-retry": _list(Retried),
        "coverage": any_of(
            "Sources with their jobs counted, or the jobs of one.",
            list_of(_covered()), list_of(of_dataclass(JobState)),
        ),
        "schema-list": list_of(record("", {"name": _TEXT, "about": _TEXT}), "The schemas."),
        "schema-check": of_dataclass(Checked),
        **decisions(),
        "listen": _list(ListenerState),
        "spread": list_of(
            record("", {"source": _TEXT, "every_s": _NUMBER, "sent": _FLAG}), "What beat sends, and when."
        ),
        "publish": record("What was told, and where it is.", {"id": _TEXT, "said": _TEXT}),
        "export-parquet": of_dataclass(ParquetExport),
        **feeds(),
        "deliver": _list(SinkReport),
        "sink-list": list_of(_sink_row(), "The sinks, and what waits for each."),
        "sink-check": _list(SinkAnswer),
        "sink-parked": _list(Parked),
        "sink-retry": _list(Settled),
        "token-new": record(
            "A new token, and the table that makes it known.", {"token": _TEXT, "table": {"type": "object"}}
        ),
        "manual-plan-import": _more(plans["Plan"], state={"enum": ["new", "changed", "same"]}),
        "manual-plan-list": list_of(reference("PlanSummary"), "The newest version of each plan."),
        "manual-plan-show": _more(plans["Plan"], versions=list_of(reference("PlanSummary"))),
        "manual-record": record(
            "A finding as it is stored, and how far its plans are.",
            {
                "id": _COUNT, "actor": _TEXT, "actor_verified": _FLAG,
                "plans": list_of(reference("PlanStatus")),
            },
        ),
        "manual-status": list_of(reference("PlanStatus"), "How far plans are."),
        **gate(),
        **waivers(),
        "doctor": _list(Finding),
        "status": of_dataclass(Status),
        "db-copy": of_dataclass(Copied),
        "db-check": record("What is wrong with a store.", {"problems": list_of(_TEXT), "counts": _COUNTS}),
        "plugin-list": list_of(
            record("", {
                "name": _TEXT, "version": _TEXT, "distribution": _TEXT, "hooks": list_of(_TEXT),
                "state": {"enum": ["ok", "broken"]}, "problem": _MAYBE,
            }),
            "The plugins.",
        ),
        "plugin-check": _list(PluginFinding),
    }  # fmt: skip


def pages() -> dict[str, Schema]:
    """Return what the pages' twins say, by page: "item"."""
    unread = {
        **_each(_TEXT, "source", "door", "kind", "reason"),
        **_each(_MAYBE, "key", "position", "resolution"),
        **_each(_COUNT, "id", "raw_bytes", "seen"),
        **_each(_WHEN, "received_at", "resolved_at"),
    }
    line = record("", {"label": _TEXT, "text": _TEXT, "hit": _FLAG})
    rows = list_of({"type": "object"})
    plans = manual(vocabulary())
    return {
        "index": record(
            "The first page.",
            {"store": _TEXT, "counts": _COUNTS, **_each(rows, "sources", "trend", "latest", "stops")},
        ),
        "coverage": record(
            "Which jobs publish results.",
            {
                **_each(_MAYBE, "source", "coverage"), "summary": _COUNTS,
                **_each(rows, "sources", "jobs"), "cut": _FLAG,
            },
        ),
        "item": record(
            "What is known of an item.",
            {
                "item": _TEXT, "known": _FLAG, **_each(_MAYBE, "type", "component", "before"), "items": rows,
                "outcomes": {}, "results": list_of(_row()), "cut": _FLAG, "policies": _FLAG,
                "gates": list_of(gates()),
            },
        ),
        "unknown-item": record(
            "Nobody knows the item.",
            {
                "item": _TEXT, "known": _FLAG, "type": _MAYBE, "policies": _FLAG, "gates": list_of(gates()),
                "expected": list_of(
                    record("What an event lets expect.",
                           {**_each(_TEXT, "testcase", "since"), **_each(_MAYBE, "event", "owner", "due")})
                ),
                "nearest": record("", _each(list_of(_TEXT), "items", "components", "testcases")),
            },
        ),
        **pages_of_gates(),
        "manual": record("Plans of manual tests.", {"plans": rows, "cut": _FLAG}),
        "manual-plan": _more(plans["Plan"], versions=rows, items=rows),
        "manual-status": plans["PlanStatus"],
        "quarantine": record(
            "Records that could not be read.",
            {"every": _FLAG, "records": list_of(record("", unread)), "cut": _FLAG},
        ),
        "quarantined": record(
            "One of them, with the lines that were to blame.",
            {**unread, "told": _TEXTS, "excerpt": list_of(line)},
        ),
    }  # fmt: skip


def _more(schema: Schema, **members: Schema) -> Schema:
    """Return the schema of an object that has more members."""
    return {
        **schema,
        "required": [*schema["required"], *members],
        "properties": {**schema["properties"], **members},
    }


def _row() -> Schema:
    return record(
        "A result.",
        {
            **_each(_TEXT, "outcome", "testcase", "item", "item_type", "scenario", "arch", "source"),
            **_each(_MAYBE, "note", "ref_url", "run"),
            "id": _COUNT, "time": _WHEN, "duration_s": optional(_NUMBER),
        },
    )  # fmt: skip


def _harvested() -> Schema:
    return record(
        "How the harvest of one source ended.",
        {
            **_each(_TEXT, "source", "state"), "dry_run": _FLAG,
            **_each(_COUNT, "new", "same", "superseding", "quarantined", "pages", "requests", "bytes"),
            "seconds": _NUMBER, "last_ok": optional(TIME), "error": _MAYBE, "reasons": _COUNTS,
        },
    )  # fmt: skip


def _source_row() -> Schema:
    return record(
        "",
        {
            **_each(_TEXT, "source", "collector", "state"), **_each(_MAYBE, "owner", "last_error"),
            **_each(_COUNT, "results", "quarantined"), "last_ok": optional(TIME),
        },
    )  # fmt: skip


def _sink_row() -> Schema:
    return record(
        "",
        {
            **_each(_TEXT, "sink", "kind", "state"), **_each(_COUNT, "waiting", "parked", "sent"),
            **_each(optional(TIME), "oldest", "last_ok", "last_try"), "last_error": _MAYBE,
        },
    )  # fmt: skip


def _covered() -> Schema:
    kinds = [kind.replace(" ", "_") for kind in KINDS]
    return record(
        "",
        {
            **_each(_COUNT, *kinds), "source": _TEXT, **_each(_MAYBE, "owner", "contact"),
            "last_ok": optional(TIME), "percent": optional(_NUMBER),
        },
    )  # fmt: skip


def _list(kind: type) -> Schema:
    found = of_dataclass(kind)
    return list_of(found, str(found["description"]))


def _each(schema: Schema, *names: str) -> dict[str, Schema]:
    return dict.fromkeys(names, schema)
