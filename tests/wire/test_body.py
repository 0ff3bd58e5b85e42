"""A JSON body as a value: exact, and refused where it is none."""

from __future__ import annotations

import math
from typing import Any

import pytest

from ci_results.wire.body import MAX_DEPTH, Unparsable, parse


@pytest.mark.parametrize(
    ("body", "value"),
    [
        pytest.param(b'{"a": [1, "x", null, true]}', {"a": [1, "x", None, True]}, id="plain"),
        pytest.param(b' \n{"a":1}\n', {"a": 1}, id="blanks around"),
        pytest.param(b"12345678901234567890123", 12345678901234567890123, id="beyond 64 bits"),
        pytest.param(b"[-9223372036854775809, 0.5]", [-9223372036854775809, 0.5], id="beyond 64 bits, below"),
        pytest.param(b'{"a": 1.0}', {"a": 1.0}, id="a float stays one"),
        pytest.param(b"1e400", math.inf, id="too great for a float"),
        pytest.param(b"[Infinity]", [math.inf], id="infinity, as Python takes it"),
        pytest.param(b'{"a": 1, "a": 2}', {"a": 2}, id="the last of equal keys"),
        pytest.param(b'"\\ud800"', "\ud800", id="a lone surrogate, which validation refuses"),
        pytest.param(b'"\\u0000"', "\0", id="NUL, which validation refuses"),
        pytest.param('{"ž": "ž"}'.encode("utf-16"), {"ž": "ž"}, id="UTF-16"),
        pytest.param(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, None, id="as deep as may be"),
    ],
)
def test_a_body_is_read(body: bytes, value: Any) -> None:
    found = parse(body)
    if value is not None:
        assert found == value
        assert type(found) is type(value)


def test_no_number_is_read_as_python_does() -> None:
    assert math.isnan(parse(b"NaN"))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut"),
        pytest.param(b"{'a': 1}", id="single quotes"),
        pytest.param(b"outcome=PASSED", id="a form"),
        pytest.param(b"\xff\xfe\xfa", id="no text"),
        pytest.param(b'"\xff"', id="no UTF-8"),
        pytest.param(b"[" * 101 + b"]" * 101, id="too deep"),
        pytest.param(b'{"a":' * 101 + b"0.5" + b"}" * 101, id="too deep around a float"),
        pytest.param(b"[NaN," * 101 + b"1" + b"]" * 101, id="too deep for the second reader"),
        pytest.param(b"[" * 100_000, id="deeper than the stack"),
        pytest.param(b"9" * 5000, id="longer than Python reads a number"),
    ],
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(Unparsable):
        parse(body)
