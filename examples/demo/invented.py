"""A second Jenkins master, invented for the demo, in the form in which real ones are recorded.

Its jobs are laid out unlike the recorded master's: flat, the build under test in a parameter.
One job fails since its last three builds, one is flaky, one never publishes, one build lacks the
parameter and so nobody can say what it tested.
"""

from __future__ import annotations

import json
import lzma
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = "http://kernel-ci.example.com"
BUILDS = 24
CASES = {
    "kernel-tier1": (
        "boot.cold",
        "boot.kexec",
        "mm.hugepages",
        "fs.ext4-stress",
        "net.bonding",
        "sched.deadline",
    ),
    "kernel-storage": ("dm.multipath", "nvme.hotplug", "iscsi.login"),
    "kernel-realtime": ("latency.cyclictest", "latency.hwlatdetect"),
}
SILENT = "kernel-lint"

Record = dict[str, Any]


def write_master(path: Path, now: datetime) -> int:
    """Write the master's recording, with builds up to `now`; return how many builds it has."""
    count = 0
    with lzma.open(path, "wt", encoding="utf-8", preset=1) as file:
        for record in records(now):
            file.write(json.dumps(record) + "\n")
            count += record["path"].count("/") == 5
    return count


def records(now: datetime) -> Iterator[Record]:
    """Yield every answer that the master gives, the root first."""
    lot = random.Random(42)  # noqa: S311
    jobs = [*CASES, SILENT]
    listed = [
        {"_class": "hudson.model.FreeStyleProject", "name": job, "url": url(job), "color": "blue"}
        for job in jobs
    ]
    root = {"_class": "hudson.model.Hudson", "nodeDescription": "kernel CI, invented", "jobs": listed}
    yield answer("/api/json", root)
    for place, job in enumerate(jobs):
        numbers = range(1, BUILDS + 1)
        yield answer(f"/job/{job}/api/json", job_body(job))
        for number in numbers:
            began = now - timedelta(days=BUILDS - number, hours=2 + place, minutes=lot.randrange(40))
            cases = [case_body(job, name, number, lot) for name in CASES.get(job, ())]
            yield answer(f"/job/{job}/{number}/api/json", build_body(job, number, began, cases))
            if cases:
                yield answer(f"/job/{job}/{number}/testReport/api/json", report_body(cases, began))
            else:
                yield {"path": f"/job/{job}/{number}/testReport/api/json", "status": 404, "json": None}


def answer(path: str, body: Record) -> Record:
    """Return one recorded exchange."""
    return {"path": path, "status": 200, "json": body}


def url(job: str, number: int | None = None) -> str:
    """Return the address of a job or a build."""
    return f"{ROOT}/job/{job}/" if number is None else f"{ROOT}/job/{job}/{number}/"


def job_body(job: str) -> Record:
    """Return a job as its own /api/json tells it."""
    builds = [build_ref(job, number) for number in range(BUILDS, 0, -1)]
    return {
        "_class": "hudson.model.FreeStyleProject",
        "name": job,
        "fullName": job,
        "displayName": job,
        "url": url(job),
        "buildable": True,
        "disabled": False,
        "color": "blue",
        "builds": builds,
        "allBuilds": builds,
        "firstBuild": builds[-1],
        "lastBuild": builds[0],
        "lastCompletedBuild": builds[0],
        "nextBuildNumber": BUILDS + 1,
    }


def build_ref(job: str, number: int) -> Record:
    """Return how a job refers to a build."""
    return {"_class": "hudson.model.FreeStyleBuild", "number": number, "url": url(job, number)}


def build_body(job: str, number: int, began: datetime, cases: list[Record]) -> Record:
    """Return a build; the newest one of kernel-storage was started by hand, without its parameter."""
    failed = sum(case["status"] == "FAILED" for case in cases)
    nvr = f"kernel-6.14.{number // 4}-{100 + number}.fc42"
    parameters = [] if (job, number) == ("kernel-storage", BUILDS) else [("NVR", nvr)]
    actions: list[Record] = [
        {
            "_class": "hudson.model.ParametersAction",
            "parameters": [
                {"_class": "hudson.model.StringParameterValue", "name": name, "value": value}
                for name, value in parameters
            ],
        },
        {"_class": "hudson.model.CauseAction", "causes": [{"shortDescription": "Started by timer"}]},
    ]
    if cases:
        actions.append(
            {
                "_class": "hudson.tasks.junit.TestResultAction",
                "failCount": failed,
                "skipCount": 0,
                "totalCount": len(cases),
                "urlName": "testReport",
            }
        )
    return {
        "_class": "hudson.model.FreeStyleBuild",
        "number": number,
        "id": str(number),
        "url": url(job, number),
        "displayName": f"#{number}",
        "fullDisplayName": f"{job} #{number}",
        "result": "UNSTABLE" if failed else "SUCCESS",
        "building": False,
        "inProgress": False,
        "timestamp": int(began.timestamp() * 1000),
        "duration": 1_200_000 + 1000 * number,
        "description": None,
        "artifacts": [],
        "actions": actions,
    }


def report_body(cases: list[Record], began: datetime) -> Record:
    """Return a build's test report."""
    failed = sum(case["status"] == "FAILED" for case in cases)
    suite = {
        "name": "kernel",
        "id": None,
        "duration": sum(case["duration"] for case in cases),
        "timestamp": f"{began.astimezone(UTC):%Y-%m-%dT%H:%M:%S}",
        "enclosingBlockNames": [],
        "cases": cases,
    }
    return {
        "_class": "hudson.tasks.junit.TestResult",
        "duration": suite["duration"],
        "empty": False,
        "failCount": failed,
        "passCount": len(cases) - failed,
        "skipCount": 0,
        "suites": [suite],
    }


def case_body(job: str, name: str, number: int, lot: random.Random) -> Record:
    """Return one case: nvme.hotplug fails since three builds, net.bonding now and then."""
    group, _, test = name.partition(".")
    fails = (name == "nvme.hotplug" and number > BUILDS - 3) or (
        name == "net.bonding" and lot.random() < 0.35
    )
    slow = 8.0 if name == "fs.ext4-stress" else 1.0
    why = "timed out waiting for the device" if name == "nvme.hotplug" else "link did not come up within 10 s"
    return {
        "className": f"{job.removeprefix('kernel-')}.{group}",
        "name": test,
        "status": "FAILED" if fails else "PASSED",
        "duration": round(slow * (20 + lot.random() * 10), 3),
        "errorDetails": why if fails else None,
        "errorStackTrace": f"AssertionError: {why}" if fails else None,
        "skipped": False,
        "skippedMessage": None,
        "age": 0,
        "failedSince": 0,
        "properties": {},
        "testActions": [],
    }
