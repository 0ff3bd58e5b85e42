from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_results.domain.garbled import Garbled
from ci_results.errors import InvalidError
from ci_results.formats.errata_table import Verdict, read_verdicts

HEAD = "item,testcase,outcome,time\n"


def read(text: str | bytes) -> list[Verdict | Garbled]:
    raw = text if isinstance(text, bytes) else text.encode()
    return list(read_verdicts(io.BytesIO(raw)))


def brief(text: str | bytes) -> list[tuple[str, str]]:
    """Return (line, testcase) of verdicts and (position, reason) of what is garbled."""
    return [
        (str(each.line), each.cells["testcase"])
        if isinstance(each, Verdict)
        else (str(each.position), each.reason)
        for each in read(text)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "item,testcase,outcome\na-1-1,dist.x,PASSED\n",
        "\ufeffItem;TestCase;Outcome\r\na-1-1;dist.x;PASSED\r\n",
        "verdict\ttest\tNVR\nPASSED\tdist.x\ta-1-1",
        '{"build": "a-1-1", "test": "dist.x", "status": "PASSED", "id": null, "else": [1]}\n',
    ],
    ids=["csv", "mark and semicolons", "other names, tabs, no last newline", "JSON lines"],
)
def test_a_table_is_read_in_each_of_its_forms(text: str) -> None:
    (verdict,) = read(text)
    assert isinstance(verdict, Verdict)
    assert verdict.cells == {"item": "a-1-1", "testcase": "dist.x", "outcome": "PASSED"}


@pytest.mark.parametrize(
    ("row", "position", "reason"),
    [
        ("a-1-1,,PASSED,", "line 3", "row has no testcase"),
        ("a-1-1,dist.x", "line 3", "row has 2 cells, the first line names 4"),
        ('a-1-1,"dist".x,PASSED,', "line 3", "broken row: ',' expected after '\"'"),
        ('a-1-1,dist.x,"PASSED,', "line 3", "broken row: unexpected end of data"),
    ],
    ids=["empty cell", "too few cells", "bad quote", "open quote"],
)
def test_a_bad_row_is_told_by_its_line_and_costs_no_other(row: str, position: str, reason: str) -> None:
    text = f"{HEAD}a-1-1,dist.before,PASSED,\n{row}\na-1-1,dist.after,PASSED,\na-1-1,dist.last,PASSED,\n"
    assert brief(text) == [("2", "dist.before"), (position, reason), ("4", "dist.after"), ("5", "dist.last")]


def test_a_bad_row_keeps_its_text() -> None:
    (bad,) = read(HEAD + 'a-1-1,dist.x,"PASSED,\n')
    assert isinstance(bad, Garbled)
    assert bad.raw == b'a-1-1,dist.x,"PASSED,'


def test_a_cell_may_hold_several_lines() -> None:
    verdicts = brief('item,testcase,outcome,note\na-1-1,dist.x,PASSED,"one\ntwo"\nb-1-1,dist.y,PASSED,\n')
    assert verdicts == [("2", "dist.x"), ("4", "dist.y")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the file is empty"),
        ("item,outcome\n", "does not name testcase"),
        ("PK\x03\x04\n", "does not name item, outcome, testcase"),
    ],
)
def test_what_is_no_table_is_refused_whole(text: str, reason: str) -> None:
    with pytest.raises(InvalidError, match=reason):
        read(text)


def test_bad_lines_of_json_are_told_each() -> None:
    good = json.dumps({"item": "a-1-1", "testcase": "dist.x", "outcome": "PASSED"})
    found = brief(f'{good}\n[1]\n{{"item": {{}}, "testcase": "a"}}\n{{"item"\n{"[" * 9999}\n{good}\n')
    assert [line for line, _said in found] == ["1", "line 2", "line 3", "line 4", "line 5", "6"]
    assert "no JSON" in found[3][1]


def test_open_quotes_in_every_row_cost_a_hundred_lines_each_at_most() -> None:
    found = read(HEAD + 'a-1-1,dist.x,PASSED,"\n' * 2_001)
    assert 1_000 <= len(found) <= 2_001


@given(
    st.binary(max_size=400)
    | st.text(alphabet='",;\n\r\tab{}[]:', max_size=200).map(lambda text: text.encode())
)
def test_any_bytes_are_read_or_refused(rest: bytes) -> None:
    for raw in (rest, HEAD.encode() + rest, b'{"item": "a"}\n' + rest):
        try:
            for each in read(raw):
                assert each.position if isinstance(each, Garbled) else each.line > 0
        except InvalidError:
            pass
