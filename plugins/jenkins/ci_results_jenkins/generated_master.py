"""A Jenkins master of any size whose answers are made when they are asked for: a load for benchmarks.

It answers the questions of the collector (the job tree, a job with its builds, a build, a report)
through the same `tree=` language as the recorded master. The same arguments give the same bodies,
and none is kept, so a master of a million builds needs no memory.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs
from zlib import crc32

from .recorded_master import NEWEST, ROOT, Answer, RecordedMaster
from .tree import parse, select

FOLDER_JOBS = 50
"""So many jobs lie in one folder."""

_PATH = re.compile(
    r"/job/(?P<folder>[^/]+)/job/(?P<job>[^/]+)(?:/(?P<build>\d+)(?P<report>/testReport)?)?/api/json"
)
_FIRST_MS = 1_767_225_600_000  # 2026-01-01
_HOUR_MS = 3_600_000
_QUESTION = lru_cache(64)(parse)


class GeneratedMaster(RecordedMaster):
    """Serves `jobs` jobs of `builds` builds of `cases` cases each; one case in about thirty fails.

    name  of the master; it begins the names of its jobs, so that no two masters share a testcase
    """

    def __init__(self, name: str, *, jobs: int, builds: int, cases: int, delay_s: float = 0.0) -> None:
        super().__init__((), delay_s=delay_s)
        self._builds = builds
        self._cases = cases
        self._jobs: dict[str, list[str]] = {}
        for number in range(jobs):
            folder = self._jobs.setdefault(f"{name}-{number // FOLDER_JOBS:02d}", [])
            folder.append(f"component-{number:04d}")

    def _known(self, path: str, query: str, form: str) -> Answer:
        tree = (parse_qs(query).get("tree") or parse_qs(form).get("tree") or [""])[0]
        document = self._document(path)
        if document is None:
            return Answer(404, b"<html><head><title>Not Found</title></head><body>404</body></html>")
        try:
            body = select(document, _QUESTION(tree), lambda _name, entry, _holder: entry)
        except ValueError as err:
            return Answer(500, f"<html><body>Oops! {err}</body></html>".encode())
        return Answer(200, json.dumps(body).encode(), "application/json;charset=utf-8", self._marks())

    def _document(self, path: str) -> dict[str, Any] | None:
        """Return the whole document at `path`, None where there is none."""
        if path == "/api/json":
            return {"_class": "hudson.model.Hudson", "jobs": [self._folder(name) for name in self._jobs]}
        found = _PATH.fullmatch(path)
        if found is None or found["job"] not in self._jobs.get(found["folder"], ()):
            return None
        job = f"{found['folder']}/{found['job']}"
        if found["build"] is None:
            builds = [self._made_build(job, number) for number in range(self._last(job), 0, -1)]
            return self._head(job) | {"builds": builds[:NEWEST], "allBuilds": builds}
        number = int(found["build"])
        if not 0 < number <= self._last(job):
            return None
        return self._report(job, number) if found["report"] else self._made_build(job, number)

    def _folder(self, name: str) -> dict[str, Any]:
        return {
            "_class": "com.cloudbees.hudson.plugins.folder.Folder",
            "name": name,
            "fullName": name,
            "jobs": [self._head(f"{name}/{job}") for job in self._jobs[name]],
        }

    def _head(self, job: str) -> dict[str, Any]:
        last = self._last(job)
        newest = self._made_build(job, last) if last else None
        return {
            "_class": "hudson.model.FreeStyleProject",
            "name": job.rpartition("/")[2],
            "fullName": job,
            "color": "blue",
            "nextBuildNumber": last + 1,
            "lastBuild": newest,
            "lastCompletedBuild": newest,
        }

    def _last(self, job: str) -> int:
        return min(self._builds, self.until.get(job, self._builds))

    def _made_build(self, job: str, number: int) -> dict[str, Any]:
        failed = sum(_fails(job, number, case) for case in range(self._cases))
        component = job.rpartition("/")[2]
        return {
            "_class": "hudson.model.FreeStyleBuild",
            "number": number,
            "url": f"{ROOT}/job/{job.replace('/', '/job/')}/{number}/",
            "result": "UNSTABLE" if failed else "SUCCESS",
            "building": False,
            "timestamp": _FIRST_MS + number * 24 * _HOUR_MS + crc32(job.encode()) % _HOUR_MS,
            "duration": 60_000 + number,
            "displayName": f"#{number}",
            "description": None,
            "artifacts": [],
            "actions": [
                {"parameters": [{"name": "NVR", "value": f"{component}-1.{number}-1.fc42"}]},
                {"causes": [{"shortDescription": "Started by timer"}]},
                {"failCount": failed, "skipCount": 0, "totalCount": self._cases},
            ],
        }

    def _report(self, job: str, number: int) -> dict[str, Any]:
        cases = []
        for case in range(self._cases):
            fails = _fails(job, number, case)
            cases.append({
                "className": f"tests.part_{case // 10}",
                "name": f"test_behaviour_{case:04d}",
                "status": "FAILED" if fails else "PASSED",
                "duration": (case + number) / 100,
                "errorDetails": "assert 41 == 42" if fails else None,
                "errorStackTrace": "def test():\n>   assert compute() == 42\n" * 4 if fails else None,
                "skippedMessage": None,
            })  # fmt: skip
        suite = {"name": "pytest", "enclosingBlockNames": [], "cases": cases}
        return {"_class": "hudson.tasks.junit.TestResult", "suites": [suite]}


def _fails(job: str, number: int, case: int) -> bool:
    return crc32(f"{job}#{number}.{case}".encode()) % 29 == 0
