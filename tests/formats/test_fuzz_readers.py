"""atheris against readers, a family at a time, for CI_RESULTS_FUZZ_READERS_S seconds (`tox -e fuzz`: 120)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .families import FAMILIES
from .pieces import PIECES

SECONDS = int(os.environ.get("CI_RESULTS_FUZZ_READERS_S", "2"))
SEED_BYTES = 16_384
SAMPLES = Path(__file__).parent / "samples"
ROOT = Path(__file__).parents[2]


@pytest.mark.needs("atheris")
@pytest.mark.timeout(SECONDS + 120)
@pytest.mark.parametrize("family", FAMILIES)
def test_no_bytes_break_a_reader(family: str, tmp_path: Path) -> None:
    corpus, words = tmp_path / "corpus", tmp_path / "words"
    write_seeds(family, corpus, words)
    limits = (f"-max_total_time={SECONDS}", f"-dict={words}", f"-artifact_prefix={tmp_path}/")
    command = [sys.executable, "-m", "tests.formats.fuzz_reader", family, *limits, str(corpus)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    tried = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    assert tried, done.stderr
    assert int(tried[1]) > len(list(corpus.iterdir()))


def write_seeds(family: str, corpus: Path, words: Path) -> None:
    """Write the samples of a family's formats as seeds, and their bricks as a dictionary."""
    corpus.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(FAMILIES[family]):
        for path in (SAMPLES / name).iterdir():
            if not path.name.endswith(".golden.json"):
                (corpus / f"{name}-{path.name}").write_bytes(bytes([number]) + path.read_bytes()[:SEED_BYTES])
    bricks = {brick for name in FAMILIES[family] for brick in PIECES[name]}
    words.write_text("".join(f'"{_escaped(brick)}"\n' for brick in sorted(bricks)))


def _escaped(brick: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in brick)
