from __future__ import annotations

import pytest
from widget import width_mm


@pytest.mark.parametrize(("text", "width"), [("12 mm", 12), ("3 cm", 30)])
def test_a_width_is_read(text: str, width: int) -> None:
    assert width_mm(text) == width


def test_what_is_no_width_is_refused() -> None:
    with pytest.raises(ValueError, match="no width"):
        width_mm("12 miles")


@pytest.mark.skip(reason="inches come later")
def test_inches_are_read() -> None:
    assert width_mm("1 in") == 25
