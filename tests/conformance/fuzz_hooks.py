"""What schemathesis must be told of us: how lines are written, and which of its findings are as we mean it.

It loads this file itself (SCHEMATHESIS_HOOKS); test_fuzz.py starts it.
"""

from __future__ import annotations

import json
import re
from typing import Any

import schemathesis
from schemathesis.core import failures
from schemathesis.openapi import checks

FREE = re.compile(r"`(attributes|testcases|groups|name|uuid|description|_sort|_distinct_on|If-None-Match)\b")
"""Parameters that take any text, so that whatever is asked there is right."""

LAX = re.compile(r"in body - (brew_task_id|brew_build_id|scratch|waived|include_obsolete): ")
"""Whole numbers and truths of the peers, which pydantic takes in other words: true for 1, "yes" for true."""

RULES = (
    *("'_distinct_on'", "can be only set for ERROR outcome", "is not a valid email address"),
    *("leave actor out: your token says", "needs a namespace before a dot", "holds unprintable characters"),
    *("is in the plan twice", "is empty or unprintable", " is no compose id", " is not known; known are"),
    *("an event needs ", "due lies before time", "must be a time from 1970 to", "must be 1.0, the version"),
    *("plan name ", "link is not http or https", "ref_url is not http or https", "item_type is empty"),
    *("Argument testcase is missing", "argument should not be used together", "subject must be defined"),
    *("subject names nothing", "Result id not found", "Invalid isoformat string", "in one request: ask"),
    *("not the name of a user", "subject is missing", "testcase is missing", "subject_type is missing"),
    *("product_version is missing", "scenario is missing", "to submit a waiver by id for this result"),
)
"""What no schema says: one filter needs another, a field goes with a value of another, no mail at .test;
whom a token names, grammars of names and items, what is in a plan twice; that a name is not blank.
"""


REPORTS = ("/api/ci/v1/reports", "/validate-gating-yaml")
"""Their body is any bytes, or a form of files, which no schema tells from a form of fields; an item obeys the
grammar of its type, and a file of policies that of policies."""


@schemathesis.serializer("application/x-ndjson", "application/jsonl")
def lines(_context: Any, value: Any) -> bytes:
    """Write a list as lines; what is none of a list is a line by itself."""
    rows = value if isinstance(value, list) else [value]
    return "\n".join(json.dumps(each) for each in rows).encode()


@schemathesis.serializer(
    *("application/xml", "text/xml", "application/yaml", "application/tap", "text/csv", "application/gzip"),
    *("application/x-bzip2", "application/x-xz", "application/zstd", "application/zip", "application/x-tar"),
)
def report(_context: Any, value: Any) -> bytes:
    """Write a report: any text is one that is read or quarantined."""
    return str(value).encode("utf-8", "surrogatepass")


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """Wait for no decision longer than it takes to show that one may."""
    seconds = (case.query or {}).get("wait")
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and 1 < seconds <= 60:
        case.query["wait"] = 1


@schemathesis.hook
def filter_failure(_context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Say whether a finding is one: each of these is documented."""
    if isinstance(failure, failures.AcceptedNegativeData):
        if case.path.endswith(REPORTS) and "in body" in str(failure.message):
            return False
        return not (_is_refused(response) or _is_right(case, str(failure.message)))
    if isinstance(failure, checks.RejectedPositiveData):
        if (
            case.path.endswith(REPORTS)
            and response.status_code in (400, 415)
            and "message" in response.json()
        ):
            return False
        return response.status_code != 422 and not any(rule in response.text for rule in RULES)
    if isinstance(failure, checks.UnsupportedMethodResponse):
        # A POST that is no JSON is refused before anybody looks where it goes: see serve/bounds.py.
        return response.status_code != 415
    if isinstance(failure, failures.ServerError):
        return response.status_code != 503 or "message" not in response.json()
    return True


def _is_refused(response: Any) -> bool:
    """Say whether an answer takes nothing after all: too long a batch or address, a line in mode `each`, or
    it leads elsewhere.
    """
    return response.status_code in (308, 413, 414, 431) or (
        response.status_code == 200 and '"refused":' in response.text
    )


def _is_right(case: Any, about: str) -> bool:
    """Say whether what a case does wrong is no wrong: a free or an empty parameter, one that is given several
    times (the last counts, as ever), or outcomes that are all blank.
    """
    named = re.search(r"parameter `([^`]+)` in query", about)
    if named and (case.query or {}).get(named[1]) == "":  # as good as none
        return True
    if FREE.search(about) or LAX.search(about) or ("in query" in about and "became array" in about):
        return True
    outcomes = "".join(map(str, (case.query or {}).get("outcome", "")))
    return "`outcome`" in about and not outcomes.replace(",", "").strip()
