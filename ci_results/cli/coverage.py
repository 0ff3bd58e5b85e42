"""`ci-results coverage`: which jobs publish results, and which are silent."""

from __future__ import annotations

import click

from .context import Context, pass_context
from .output import next_command, print_json, print_table, say, stamp


@click.command()
@click.option("--source", help="Only of this source; lists its jobs.")
@click.option("--silent", is_flag=True, help="List the jobs that run and publish no test results.")
@click.option("--jobs", "each_job", is_flag=True, help="List every job.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_context
def coverage(context: Context, source: str | None, silent: bool, each_job: bool, as_json: bool) -> None:
    """Show which jobs publish results, which are silent, and who owns them."""
    from ..operations.coverage import KINDS
    from ..operations.coverage import coverage as run

    store = context.store(must_exist=True)
    jobs = store.jobs(source)
    if silent:
        jobs = [job for job in jobs if job.coverage == "silent"]
    if silent or each_job or source:
        if as_json:
            print_json(jobs)
            return
        print_table(
            ("source", "job", "coverage", "last build", "last report", "owner", "contact"),
            [
                (
                    job.source, job.job, job.coverage, stamp(job.last_build), stamp(job.last_report),
                    job.owner or "", job.contact or "",
                )
                for job in jobs
            ],
        )  # fmt: skip
        next_command("ci-results coverage")
        return
    rows = run(store, jobs)
    if as_json:
        print_json([{**{kind.replace(" ", "_"): row.jobs[kind] for kind in KINDS}, "source": row.source,
                     "owner": row.owner, "contact": row.contact, "last_ok": row.last_ok,
                     "percent": row.percent} for row in rows])  # fmt: skip
        return
    print_table(
        ("source", *KINDS, "covered", "last good harvest", "owner"),
        [
            (
                row.source, *(str(row.jobs[kind]) for kind in KINDS),
                "" if row.percent is None else f"{row.percent:.0f} %", stamp(row.last_ok), row.owner or "",
            )
            for row in rows
        ],
    )  # fmt: skip
    quiet = sum(row.jobs["silent"] for row in rows)
    say(f"{quiet} silent jobs" if quiet != 1 else "1 silent job")
    next_command("ci-results coverage --silent" if quiet else "ci-results serve")
