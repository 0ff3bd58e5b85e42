"""JSON Schema of what the commands print that write feeds, replay them, map anew, and let results go."""

from __future__ import annotations

from ..operations.export_feed import FeedWritten
from ..operations.prune import Month
from ..wire.dataclass_schema import of_dataclass
from ..wire.schemas import Schema, list_of, record

_TEXT: Schema = {"type": "string"}
_MAYBE: Schema = {"type": ["string", "null"]}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_FLAG: Schema = {"type": "boolean"}
_COUNTS: Schema = {"type": "object", "additionalProperties": _COUNT}


def feeds() -> dict[str, Schema]:
    """Return the schemas by command."""
    change = record(
        "", {"testcase": _TEXT, "before": _MAYBE, "outcome": _TEXT, "same_name": _FLAG, "results": _COUNT}
    )
    return {
        "export-feed": of_dataclass(FeedWritten),
        "replay": record(
            "What became of the lines of feeds, by kind, and the digest of the store's canonical dump.",
            {
                "new": _COUNTS, "same": _COUNTS, "left_out": _COUNTS, "damaged": _COUNT,
                "first_damaged": _MAYBE, "merged": _FLAG, "whole": _FLAG, "facts": _COUNT, "digest": _TEXT,
                "difference": {**_MAYBE, "description": "With --check: the first fact that differs."},
            },
        ),
        "remap": record(
            "What became of messages that were read again.",
            {
                "messages": _COUNT, "same": _COUNT, "outdated": _COUNT, "gone": _COUNT,
                "changes": list_of(change, "Results that came out otherwise."),
                "unread": {"type": "object", "additionalProperties": _TEXT}, "whole": _FLAG, "dry_run": _FLAG,
            },
        ),
        "prune": record(
            "What left the store, or would.",
            {
                "criteria": record(
                    "", {"before": _TEXT, "testcase": _MAYBE, "source": _MAYBE, "all_states": _FLAG}
                ),
                "dry_run": _FLAG, "results": _COUNT, "size_bytes": _COUNT,
                "months": list_of(of_dataclass(Month)),
                "kept": {**_COUNTS, "description": "Results that are as old and stay, by reason."},
                "pages": _COUNT, "whole": _FLAG,
            },
        ),
    }  # fmt: skip
