"""The producer of results is swapped; whoever consumes decisions sees nothing of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ci_results_jenkins.recorded_master import RecordedMaster

from .conftest import LONG_S, House

RECORDING = Path(__file__).parents[3] / "examples" / "masters" / "master.ndjson.xz"
OLD, NEW = "glibc-2.39-2.el10", "glibc-2.39-99.el10"
CONSUMER = """\
import json, sys, urllib.request

url, build = sys.argv[1:]
asked = {"product_version": "rhel-10", "decision_context": "rhel_push", "verbose": False,
         "subject": [{"type": "koji_build", "item": build}]}
request = urllib.request.Request(f"{url}/api/v1.0/decision", json.dumps(asked).encode(),
                                 {"Content-Type": "application/json"})
decision = json.load(urllib.request.urlopen(request))
del decision["as_of"]
for each in decision["satisfied_requirements"] + decision["unsatisfied_requirements"]:
    each.pop("result_id", None)
print(json.dumps(decision, indent=1))
"""


def consumed(house: House, build: str) -> str:
    """Return what the consumer makes of a build, its name and what numbers results aside."""
    words = [sys.executable, "-c", CONSUMER, house.url, build]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=LONG_S)
    return done.stdout.replace(build, "BUILD")


@pytest.mark.demand("S-028", "S-082")
def test_nothing_changes_for_the_consumer_when_the_producer_is_swapped(house: House) -> None:
    with RecordedMaster(RECORDING).serve() as master:
        (house.folder / "master.toml").write_text(
            f'store = "sqlite:results.db"\n[source.rpm]\ncollector = "jenkins"\nurl = "{master.url}"\n'
            'jobs = ["rpm/f42/rpmgrill", "rpm/f42/pipeline-parallel"]\nnamespace = "baseos"\n'
            'item = [{ find = "parameter", name = "NVR", type = "koji_build" }]\nfallback = "quarantine"\n'
        )
        harvest = house.run("ci-results --config master.toml harvest")
    assert harvest.returncode == 0, harvest.stdout + harvest.stderr
    before = consumed(house, OLD)

    for testcase, outcome in (("rpmgrill", "PASSED"), ("pipeline-parallel", "FAILED")):
        found = {
            "testcase": f"baseos.rpm.f42.{testcase}",
            "item": NEW,
            "type": "koji_build",
            "outcome": outcome,
        }
        house.post("/api/ci/v1/manual/results", found)
    after = consumed(house, NEW)

    assert '"test-result-passed"' in before
    assert '"test-result-failed"' in before
    assert '"test-result-missing"' in before
    assert after == before
    assert "jenkins" not in before.lower()
