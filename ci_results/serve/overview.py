"""What the first page says: what is here, how its sources fare, what is new, and what to click next."""

from __future__ import annotations

from urllib.parse import urlencode

from .reading import Reader, Row

COUNTS = """
select
    (select coalesce(sum(results), 0) from daily) as results,
    (select count(*) from testcase) as testcases,
    (select count(*) from _item) as items,
    (select count(*) from source) as sources,
    (select count(*) from job) as jobs,
    (select count(*) from job where coverage = 'silent') as silent_jobs,
    (select coalesce(sum(quarantined), 0) from source) as quarantined,
    (select count(distinct name) from _plan) as plans
"""
SOURCES = """
select s.name, s.collector, s.url, s.owner, s.contact, s.last_ok, s.last_try, s.last_error, s.quarantined,
    case when s.last_error is not null then 'failing'
        when s.last_ok is null then 'never harvested' else 'ok' end as state,
    coalesce(d.results, 0) as results
from source s
left join (select source, sum(results) as results from daily group by source) d on d.source = s.name
order by state = 'ok', s.name
"""
TREND = """
select day, outcome, sum(results) as results from daily
where day_number > (select max(day_number) from daily) - 30
group by day_number, outcome order by day_number, outcome
"""
LATEST = "select id, time, outcome, testcase, item, source, ref_url from result order by time desc limit 10"
FAILURE = """
select item, testcase from result
where outcome = 'FAILED' and superseded_by is null order by time desc limit 1
"""


def overview(reader: Reader) -> Row:
    """Return the facts of the first page; its JSON twin is exactly this."""
    counts = reader.ask(COUNTS)[0]
    failures = reader.ask(FAILURE)
    return {
        "store": reader.path.name,
        "counts": counts,
        "sources": reader.ask(SOURCES),
        "trend": reader.ask(TREND),
        "latest": reader.ask(LATEST),
        "stops": list(_stops(counts, failures[0] if failures else None)),
    }


def _stops(counts: Row, failure: Row | None) -> list[Row]:
    """Return the guided tour, each stop with a link that shows something in this very store."""
    stops = [
        _stop(
            "What failed lately?",
            "browse/results/failed_since",
            "Every failure of the last week, newest first.",
        )
    ]
    if failure:
        stops += [
            _stop(
                f"Where does {failure['item']} stand?",
                f"item/{_quoted(failure['item'])}",
                "The page of one item: what fails in it, worst first.",
            ),
            _stop(
                f"How did {failure['testcase']} fare?",
                "browse/results/testcase_by_day?" + urlencode({"testcase": failure["testcase"]}),
                "One testcase, day by day, as a chart.",
            ),
        ]
    silent = counts["silent_jobs"]
    return [
        *stops,
        _stop(
            "Which testcases are flaky?", "browse/results/flaky", "Passed and failed over the last two weeks."
        ),
        _stop(
            "Which jobs are silent?",
            "coverage",
            f"{silent} of {counts['jobs']} jobs build, but no test result of theirs was ever seen."
            if silent
            else "Every job that builds publishes results.",
        ),
        _stop(
            "What could not be read?",
            "quarantine",
            f"{counts['quarantined']} records wait in quarantine, with the offending line.",
        ),
        _stop(
            "What waits for approval?",
            "inbox",
            "Requests for waivers, each with the decisions that it would turn.",
        ),
        _stop("What is required where?", "policies", "The rules of every gate, by file and line."),
        _stop(
            "What do people test by hand?",
            "manual",
            f"{counts['plans']} plan{'' if counts['plans'] == 1 else 's'} of manual tests: how far they are,"
            " and a form to record what somebody found.",
        ),
        _stop(
            "Ask something else",
            "browse/results",
            "More ready-made questions, filters, facets, CSV and JSON of everything, and SQL.",
        ),
        _stop("Let a machine ask, or tell", "api", "Every endpoint, with examples that work as printed."),
    ]


def _stop(title: str, path: str, text: str) -> Row:
    return {"title": title, "path": path, "text": text}


def _quoted(name: str) -> str:
    return urlencode({"": name})[1:].replace("+", "%20")
