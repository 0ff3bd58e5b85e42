from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ci_results.config import build_sources, load_config
from ci_results.plugin.manager import load_plugins

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "examples" / "demo" / "run.py"


@pytest.mark.demand("S-016")
@pytest.mark.timeout(180)
def test_the_demo_tells_its_story_and_cleans_up(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, str(DEMO), "--check"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "4 sources, 620 builds, 47326 results, 2 quarantined" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.timeout(180)
def test_ctrl_c_ends_the_demo_and_cleans_up(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, str(DEMO), "--port", "0"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "Ctrl-C ends the demo" in line:
                break
        os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to all of them
        rest = process.stderr.read()
        assert process.wait(30) == 0, rest
    assert "Traceback" not in rest
    assert list(tmp_path.iterdir()) == []


def test_the_example_configuration_is_accepted_as_it_is() -> None:
    config = load_config(ROOT / "ci-results.toml")
    (local,) = build_sources([], config, load_plugins().collectors)
    assert local.collector.name == "jenkins"


@pytest.mark.demand("S-016")
@pytest.mark.parametrize("name", ["recorded", "invented"])
def test_a_master_of_the_demo_takes_at_most_20_lines(name: str) -> None:
    tables = (DEMO.parent / f"{name}.toml").read_text(encoding="utf-8").split("\n\n")
    assert all(len(table.splitlines()) <= 20 for table in tables)
