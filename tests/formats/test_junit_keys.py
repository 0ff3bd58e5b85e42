"""Keys of JUnit cases: unique within a file, the same in each reading, in little memory."""

from __future__ import annotations

import doctest
from tempfile import TemporaryFile
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_results.formats import junit_keys
from ci_results.formats.junit_keys import SEPARATOR, Hashes, Keys, apart
from ci_results.formats.put_aside import PutAside, Scratch

from .reading_junit import cases, read, whole


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(junit_keys).failed == 0


def test_cases_of_one_name_are_numbered_and_none_is_dropped() -> None:
    case = '<testcase classname="c" name="n" time="1"/>'
    seen = cases(
        read(f'<testsuite>{case}{case}<testcase classname="c" name="m" time="1"/>{case}</testsuite>')
    )
    assert [each.key for each in seen] == ["c::n", "c::n#2", "c::m", "c::n#3"]
    assert {each.testcase for each in seen} == {"baseos.tier1.c.n", "baseos.tier1.c.m"}
    assert [each.data.get("occurrence") for each in seen] == [None, "2", None, "3"]


def test_a_case_called_overall_does_not_take_the_key_of_the_whole() -> None:
    seen = read('<testsuite><testcase name="overall"/></testsuite>')
    assert [each.key for each in cases(seen)] == ["overall#2"]
    assert whole(seen).key == "overall"


def test_a_name_that_looks_numbered_does_not_take_the_key_of_a_repeat() -> None:
    seen = read('<testsuite><testcase name="a#2"/><testcase name="a"/><testcase name="a"/></testsuite>')
    assert [each.key for each in cases(seen)] == ["a#2", "a", "a#3"]


def test_suites_and_name_that_join_to_one_testcase_stay_two_keys() -> None:
    seen = read(
        '<testsuite><testcase classname="a.b" name="c" time="1"/>'
        '<testcase classname="a" name="b.c" time="1"/><testcase name="a.b.c" time="1"/></testsuite>'
    )
    assert [each.key for each in cases(seen)] == ["a.b::c", "a::b.c", "a.b.c"]
    assert {each.testcase for each in cases(seen)} == {"baseos.tier1.a.b.c"}


def test_keys_of_names_that_had_to_be_changed_end_in_a_digest_of_each_part() -> None:
    long = "x" * 600
    case = '<testcase classname="{0}" name="{0}{1}" time="1"/>'
    first, second = cases(read(f"<testsuite>{case.format(long, 1)}{case.format(long, 2)}</testsuite>"))
    head, name = first.key.split(SEPARATOR)
    assert (len(head), len(name)) == (480, 480)
    assert second.key.startswith(head + SEPARATOR)
    assert second.key != first.key


@given(st.text(":a"), st.text(":a"))
def test_the_last_separator_of_a_key_stands_before_the_name(head: str, name: str) -> None:
    parted = apart(name)
    assert f"{head}{SEPARATOR}{parted}".rpartition(SEPARATOR) == (head, SEPARATOR, parted)
    assert parted.replace(" ", "") == name


def no_room() -> IO[bytes]:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    "limits",
    [
        {},
        {"MOST_LIVE": 100},
        {"MOST_RECENT": 1_500},
        {"MOST_LIVE": 150, "MOST_RECENT": 150},
        {"MOST_WAITING": 700, "MOST_RECENT": 300},
    ],
    ids=["as it is", "many of one head", "many in all", "many runs", "many before a head comes back"],
)
@pytest.mark.parametrize("scratch", [None, TemporaryFile, no_room], ids=["memory", "files", "no room"])
def test_names_stay_unique_under_each_head_however_many_there_are(
    limits: dict[str, int], scratch: Scratch | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, most in limits.items():
        monkeypatch.setattr(Keys if name == "MOST_LIVE" else Hashes, name, most)
    keys = Keys(scratch)
    for head in ("a::", "b::", "", "c::"):
        keys.enter(head)
        assert all(keys.add(f"case {n}") for n in range(1_000))
        assert not any(keys.add(f"case {n}") for n in range(1_000))
    for head in ("a::", "c::", "", "b::"):
        keys.enter(head)
        assert not any(keys.add(f"case {n}") for n in range(1_000))
        assert [keys.claim(f"case {n % 2}") for n in range(6)] == [
            "case 0#2", "case 1#2", "case 0#3", "case 1#3", "case 0#4", "case 1#4",
        ]  # fmt: skip


def test_heads_that_take_turns_know_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Hashes, "MOST_RECENT", 500)
    keys = Keys()
    for n in range(20_000):
        keys.enter(f"{n % 7}::")
        assert keys.add(f"case {n}")
    assert not keys.add("case 19999")
    keys.enter("0::")
    assert not keys.add("case 0")
    assert keys.add("case 1")


def test_files_that_fill_up_leave_nothing_out() -> None:
    files: list[IO[bytes]] = []

    def scratch() -> IO[bytes]:
        if len(files) == 6:
            raise OSError(28, "No space left on device")
        files.append(TemporaryFile())  # noqa: SIM115
        return files[-1]

    aside = PutAside(scratch)
    numbers = [hash(f"name {n}") for n in range(3_000)]
    for start in range(0, 3_000, 100):
        aside.put(numbers[start : start + 100])
    assert all(number in aside for number in numbers)
    assert not any(hash(f"other {n}") in aside for n in range(3_000))
    assert len(files) == 6
    assert files[0].closed


def test_numbering_a_name_met_20_000_times_takes_no_quadratic_time() -> None:
    keys = Keys()
    assert [keys.claim("a") for _ in range(20_000)][-1] == "a#20000"
