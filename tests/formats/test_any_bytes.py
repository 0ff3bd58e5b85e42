"""For any bytes every reader tells what it read or could not read; it never raises, never passes nothing."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .pieces import PIECES
from .reading import EXAMPLES, FORMATS, read, told

SAMPLES = Path(__file__).parent / "samples"
NAMES = sorted(FORMATS)
FOUND = {
    "an encoding that is none": ("junit", b'<?xml version="1.0" encoding="UTF-6"?><testsuite/>'),
    "a property with a colon": (
        "junit",
        b"<testcase name='a'><properties><property name='a:b' value='c'/></properties></testcase>",
    ),
    "a result that is an object": ("rpminspect", b'{"elf":[{"result":{}}]}'),
    "an architecture with a NUL": ("manual_csv", b"testcase,outcome,arch,scenario\na,pass,x\0y,\0\n"),
}
"""What atheris found: bytes that broke a reader."""


@pytest.mark.parametrize("name", NAMES)
@given(data=st.binary(max_size=300))
@settings(max_examples=EXAMPLES, deadline=None)
def test_noise_is_read_or_garbled(name: str, data: bytes) -> None:
    told(name, read(name, data))
    FORMATS[name].recognises(data)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_pieces_of_reports_in_any_order_are_read_or_garbled(name: str, data: st.DataObject) -> None:
    pieces = st.sampled_from(PIECES[name]) | st.binary(max_size=3)
    report = b"".join(data.draw(st.lists(pieces, max_size=30)))
    told(name, read(name, report))
    FORMATS[name].recognises(report)


@pytest.mark.parametrize("name", NAMES)
def test_samples_with_lines_moved_about_are_read_or_garbled(name: str) -> None:
    chance = random.Random(name)
    for path in sorted((SAMPLES / name).iterdir()):
        if path.name.endswith(".golden.json"):
            continue
        lines = path.read_bytes()[:20_000].splitlines(keepends=True)
        for _ in range(5):
            chance.shuffle(lines)
            told(name, read(name, b"".join(lines)))


def test_every_format_has_its_bricks() -> None:
    assert sorted(PIECES) == NAMES


@pytest.mark.parametrize("case", FOUND)
def test_what_fuzzing_found_is_read_or_garbled(case: str) -> None:
    name, report = FOUND[case]
    for each in FORMATS.values():
        each.recognises(report)
    told(name, read(name, report))
