"""What the coverage page says: which jobs publish results, which are silent, and whom to ask."""

from __future__ import annotations

from .reading import Reader, Row

MOST = 1000
SOURCES = """
select s.name as source, s.owner, s.contact, s.last_ok, s.last_error,
    count(j.job) as jobs,
    coalesce(sum(j.coverage = 'publishes'), 0) as publishes,
    coalesce(sum(j.coverage = 'silent'), 0) as silent,
    coalesce(sum(j.coverage not in ('publishes', 'silent')), 0) as other,
    max(j.last_report) as last_report
from source s
left join job j on j.source = s.name
group by s.name
order by silent desc, s.name
"""
JOBS = """
select source, job, state, coverage, owner, contact, last_build, last_report from job
where (:source is null or source = :source) and (:coverage is null or coverage = :coverage)
order by case coverage when 'silent' then 0 when 'never built' then 1 when 'publishes' then 2 else 3 end,
    last_build desc, source, job
limit 1001
"""


def coverage(reader: Reader, source: str | None = None, word: str | None = None) -> Row:
    """Return the facts of the coverage page: sources with their counts, jobs with the silent ones first.

    `source` and `word` ("silent") narrow the jobs. `cut` says that there are more than 1000.
    """
    sources = reader.ask(SOURCES)
    jobs = reader.ask(JOBS, {"source": source, "coverage": word})
    return {
        "source": source,
        "coverage": word,
        "summary": {
            name: sum(row[name] for row in sources) for name in ("jobs", "publishes", "silent", "other")
        },
        "sources": sources,
        "jobs": jobs[:MOST],
        "cut": len(jobs) > MOST,
    }
