"""Plans come whole or not at all, from tables and from Kiwi."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_results.domain.plan import PlanCase
from ci_results.formats.plan_files import MAX_BYTES, RefusedPlan, read_plan_file


def problems(data: bytes, prefix: str | None = None) -> list[tuple[str, str]]:
    with pytest.raises(RefusedPlan) as refused:
        read_plan_file(data, prefix)
    return [tuple(each) for each in refused.value.problems]  # type: ignore[misc]


@pytest.mark.demand("S-133")
@pytest.mark.parametrize(
    ("delimiter", "bom", "end"), [(",", b"", "\n"), (";", b"\xef\xbb\xbf", "\r\n"), ("\t", b"", "\n")]
)
def test_a_table_is_read_with_any_usual_delimiter(delimiter: str, bom: bytes, end: str) -> None:
    rows = [
        ["Testcase", "title", "steps", "link", "owner", "contact", "item", "type"],
        ["desktop.login", "Log in", '"Boot.', 'Say ""žluť""."', "https://w.example/1", "qe", "qe@l.example",
         "Fedora-44-*", "compose"],
        ["desktop.print", "", "", "", "", "", "Fedora-44-*"],
        [],
    ]  # fmt: skip
    rows[1][2:4] = [f"{rows[1][2]}{end}{rows[1][3]}"]
    read = read_plan_file(bom + end.join(map(delimiter.join, rows)).encode())
    assert read.cases == (
        PlanCase(
            testcase="desktop.login", title="Log in", steps=f'Boot.{end}Say "žluť".', owner="qe",
            contact="qe@l.example", ref_url="https://w.example/1",
        ),
        PlanCase(testcase="desktop.print"),
    )  # fmt: skip
    assert (read.items, read.types) == (("Fedora-44-*",), ("compose",))


def test_a_table_of_one_column_is_a_plan() -> None:
    assert [case.testcase for case in read_plan_file(b"testcase\na.b\nc.d").cases] == ["a.b", "c.d"]


def test_columns_of_results_are_overlooked() -> None:
    assert read_plan_file(b"testcase,outcome,tester\na.b,PASSED,alice\n").cases == (PlanCase(testcase="a.b"),)


def test_a_namespace_is_put_before_each_name_as_reports_do() -> None:
    read = read_plan_file(b"testcase\nLog in\nv1.2 works\n", "desktop")
    assert [case.testcase for case in read.cases] == ["desktop.Log in", "desktop.v1.2 works"]


@pytest.mark.demand("S-133")
def test_every_bad_row_is_told_with_its_line() -> None:
    table = (
        b'testcase,title,link\na.b,x,\n,"two\nlines",\nlogin,,\na.b,,\nc.d,,javascript:x\ne.f,,,,z\n\ng.h\n'
    )
    assert problems(table) == [
        ("line 3", "names no testcase"),
        ("line 5", "testcase needs a namespace before a dot: 'login'; give one for all with --namespace"),
        ("line 6", "testcase 'a.b' is in the plan twice, first in line 2"),
        ("line 7", "link is not http or https: 'javascript:x'"),
        ("line 8", "has 5 cells, the first line names 3 columns"),
    ]


@pytest.mark.parametrize(
    ("data", "place", "reason"),
    [
        (b"", "line 1", "no column testcase"),
        (b"name,steps\na.b,c", "line 1", "no column testcase"),
        (b"testcase,tilte\na.b,c", "line 1", "unknown column 'tilte'"),
        (b"testcase,title,title\na.b,c,d", "line 1", "column title is there twice"),
        (b"testcase\n\n\n", "the file", "names no testcase"),
        (b"testcase\na.b\xff\n", "line 2", "UTF-8"),
        (b'testcase,title\na.b,"open\n', "line 2", "no table"),
        (b"testcase\n" + b"\n".join(b"a.%d" % n for n in range(1001)), "the file", "a plan at most 1000"),
        (b"x" * (MAX_BYTES + 1), "the file", "longer than 16 MiB"),
        (b'{"summary": "x"}', "the file", "no list"),
        (b"[1]", "element 1", "no object"),
        (b'[{"id": 3}]', "element 1", "neither case__summary nor summary"),
        (b"[", "the file", "no JSON"),
        (b"[]", "the file", "names no testcase"),
        (b"[" * 100_000, "the file", "no JSON"),
    ],
)
def test_what_is_no_plan_is_told(data: bytes, place: str, reason: str) -> None:
    found = problems(data)
    assert len(found) == 1
    assert found[0][0] == place
    assert reason in found[0][1]


def test_of_very_many_problems_the_message_tells_a_hundred() -> None:
    with pytest.raises(RefusedPlan) as refused:
        read_plan_file(b"testcase,title\n" + b",x\n" * 500)
    assert len(refused.value.problems) == 500
    assert str(refused.value).splitlines()[99:] == ["line 101: names no testcase", "and 400 more"]


@pytest.mark.demand("S-133")
def test_test_cases_of_kiwi_are_a_plan() -> None:
    listed = [
        {"id": 55, "summary": "Login works", "text": "1. Boot\n2. Log in", "extra_link": "https://w.example/1",
         "default_tester__username": "alice"},
        {"id": 56, "summary": " Logout\tworks ", "text": None},
    ]  # fmt: skip
    assert read_plan_file(json.dumps(listed).encode(), "desktop").cases == (
        PlanCase(
            testcase="desktop.Login works", title="Login works", steps="1. Boot\n2. Log in",
            ref_url="https://w.example/1", owner="alice",
        ),
        PlanCase(testcase="desktop.Logout works", title="Logout works"),
    )  # fmt: skip


def execution(case: int, summary: str, **more: Any) -> dict[str, Any]:
    return {"case": case, "case__summary": summary, "status__name": "IDLE", **more}


@pytest.mark.demand("S-133")
def test_executions_of_kiwi_are_a_plan_with_their_build() -> None:
    listed = [
        execution(55, "Login", build__name="Fedora-44-20260301.0", assignee__username="alice"),
        execution(56, "Logout", build__name="Fedora-44-20260301.0"),
        execution(55, "Login", build__name="Fedora-44-20260301.0"),
    ]
    read = read_plan_file(json.dumps(listed).encode(), "desktop")
    assert [(case.testcase, case.owner) for case in read.cases] == [
        ("desktop.Login", "alice"),
        ("desktop.Logout", None),
    ]
    assert read.items == ("Fedora-44-20260301.0",)


def test_two_cases_of_kiwi_with_one_name_are_told() -> None:
    listed = json.dumps([execution(55, "Login"), execution(56, "Login")]).encode()
    assert problems(listed, "desktop") == [
        ("element 2", "testcase 'desktop.Login' is in the plan twice, first in element 1")
    ]


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: f"testcase,title\n{text}".encode()))
def test_any_bytes_are_a_plan_or_refused(data: bytes) -> None:
    try:
        read = read_plan_file(data)
    except RefusedPlan as err:
        told: object = err.problems
    else:
        told = read.cases
    assert told
