"""What Jenkins jobs tell of themselves: Job Builder reads our templates, and their steps publish for real."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from ci_results import open_message
from ci_results.bus.choosing import choose
from ci_results.messages.resultsdb import ResultsDBOptions, ResultsDBResults

PLUGIN = Path(__file__).parents[1]
TEMPLATES = PLUGIN / "job_builder"
JOB_BUILDER = Path(__file__).parents[3] / ".clients" / "jenkins-jobs" / "bin" / "jenkins-jobs"
PROJECT = """
- project:
    name: baseos
    ci-results-to: "spool:bus"
    testcase: baseos.smoke
    check: ./smoke.sh "$NVR"
    jobs: ["ci-results-check-{name}"]
"""
BUILD = {
    "BUILD_URL": "https://jenkins.example/job/ci-results-check-baseos/7/",
    "JOB_NAME": "ci-results-check-baseos",
    "BUILD_NUMBER": "7",
}


def run(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    beside = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    words = ["sh", "-euc", script]
    around = {"PATH": beside, "HOME": str(folder), **BUILD, **variables}
    return subprocess.run(words, cwd=folder, env=around, capture_output=True, text=True, timeout=60)


def told(folder: Path) -> list[Any]:
    """Return what was published, as it is read."""
    with closing(choose(f"spool:{folder / 'bus'}").inlet()) as inlet:
        messages = [open_message(each.raw) for each in inlet.receive(10, 0, 0)]
    return [one for each in messages for one in ResultsDBResults().read(ResultsDBOptions(), each)]


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> ElementTree.Element:
    """The job that the genuine Job Builder makes of our template."""
    folder = tmp_path_factory.mktemp("jobs")
    (folder / "project.yaml").write_text(PROJECT)
    words = [str(JOB_BUILDER), "--ignore-cache", "test", "--config-xml", "-o", "out"]
    subprocess.run(
        [*words, f"{TEMPLATES}:project.yaml"], cwd=folder, check=True, capture_output=True, timeout=60
    )
    made = folder / "out" / "ci-results-check-baseos" / "config.xml"
    return ElementTree.parse(made).getroot()  # noqa: S314  # a moment old


def text(job: ElementTree.Element, path: str) -> list[str]:
    return [each.text or "" for each in job.iterfind(path)]


@pytest.mark.needs("jenkins-jobs")
@pytest.mark.demand("S-122")
def test_a_build_event_starts_the_check_that_the_template_makes(job: ElementTree.Element) -> None:
    trigger = "triggers/com.redhat.jenkins.plugins.ci.CIBuildTrigger"
    assert text(job, f"{trigger}/overrides/topic") == ["org.fedoraproject.prod.buildsys.build.state.change"]
    assert text(job, f"{trigger}/checks/*/field") == ["new"]
    assert text(job, f"{trigger}/checks/*/expectedValue") == ["1"]
    assert text(job, f"{trigger}/noSquash") == ["true"]
    assert text(job, "builders/hudson.tasks.Shell/command")[1] == './smoke.sh "$NVR"'


@pytest.mark.needs("jenkins-jobs")
def test_the_build_of_the_message_is_what_is_tested(job: ElementTree.Element, tmp_path: Path) -> None:
    script = text(job, "builders/hudson.tasks.Shell/command")[0]
    message = '{"msg": {"name": "bash", "version": "5.2", "release": "1.fc40", "new": 1}}'
    for each in (message, message[8:-1]):
        assert run(script, tmp_path, CI_MESSAGE=each).returncode == 0
        assert (tmp_path / "ci-results.properties").read_text() == "NVR=bash-5.2-1.fc40\n"
    hostile = run(script, tmp_path, CI_MESSAGE=message.replace("bash", "x\\nPATH=/tmp"))
    assert (hostile.returncode, (tmp_path / "ci-results.properties").read_text()) == (1, "")


@pytest.mark.needs("jenkins-jobs")
@pytest.mark.demand("S-122")
def test_a_job_tells_how_it_ended(job: ElementTree.Element, tmp_path: Path) -> None:
    steps = job.findall(".//org.jenkinsci.plugins.postbuildscript.model.PostBuildStep")
    scripts = {
        result: "".join(text(step, "buildSteps/*/command"))
        for step in steps
        for result in text(step, "results/string")
    }
    assert {result: re.findall(r"--outcome=(\w+)", script) for result, script in scripts.items()} == {
        "SUCCESS": ["PASSED"], "UNSTABLE": ["FAILED"], "FAILURE": ["FAILED"], "ABORTED": ["ERROR"],
        "NOT_BUILT": ["NEEDS_INSPECTION"],
    }  # fmt: skip
    ended = run(scripts["FAILURE"], tmp_path, NVR="bash-5.2-1.fc40")
    assert ended.returncode == 0, ended.stderr
    (one,) = told(tmp_path)
    assert (one.testcase, one.outcome, one.item, one.ref_url) == (
        "baseos.smoke", "FAILED", "bash-5.2-1.fc40", BUILD["BUILD_URL"],
    )  # fmt: skip
    assert (one.data["job"], one.data["build"]) == (("ci-results-check-baseos",), ("7",))


def test_the_step_of_a_jenkinsfile_publishes_and_runs_nothing_that_it_is_told(tmp_path: Path) -> None:
    groovy = (PLUGIN / "vars" / "ciResults.groovy").read_text()
    (script,) = re.findall(r"script: '''(.*?)'''", groovy, re.DOTALL)
    script = script.replace("\\\\", "\\")
    used = set(re.findall(r"\$\{?(CI_RESULTS_\w+)", script)) - {"CI_RESULTS_TOKEN"}
    assert used == set(re.findall(r'"(CI_RESULTS_\w+)=', groovy))
    hostile = "a\"; touch bad; $(touch bad) `touch bad` ' b"
    given = {
        "CI_RESULTS_TO": "spool:bus", "CI_RESULTS_TESTCASE": f"baseos.{hostile}",
        "CI_RESULTS_OUTCOME": "PASSED",
        "CI_RESULTS_ITEM": "bash-5.2-1.fc40", "CI_RESULTS_TYPE": "koji_build", "CI_RESULTS_NOTE": hostile,
    }  # fmt: skip
    ended = run(script, tmp_path, **given)
    assert ended.returncode == 0, ended.stderr
    (one,) = told(tmp_path)
    assert (one.testcase, one.note, one.outcome) == (f"baseos.{hostile}", hostile, "PASSED")
    assert not (tmp_path / "bad").exists()
