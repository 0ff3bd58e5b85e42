"""The collector keeps the contract that every collector keeps."""

from __future__ import annotations

from pathlib import Path

from ci_results_jenkins import ItemRule, Jenkins, Options

from ci_results.testing import CollectorContract


class TestJenkins(CollectorContract):
    collector = Jenkins()
    options = Options(url="https://source.test/", item=(ItemRule(find="parameter", name="NVR"),))
    recording = Path(__file__).parent / "recording"
