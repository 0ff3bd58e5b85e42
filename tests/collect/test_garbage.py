"""Cyclic garbage is looked for more seldom while rows pass through, and as before afterwards."""

from __future__ import annotations

import gc
from contextlib import ExitStack

import pytest

from ci_results.collect.garbage import ROWS_THRESHOLDS, seldom_collected


def test_the_thresholds_are_raised_and_put_back_whatever_happens() -> None:
    def fail() -> None:
        with seldom_collected():
            assert gc.get_threshold() == ROWS_THRESHOLDS
            raise KeyError

    before = gc.get_threshold()
    with pytest.raises(KeyError):
        fail()
    assert gc.get_threshold() == before


def test_whoever_ends_last_puts_them_back() -> None:
    before = gc.get_threshold()
    first, second = ExitStack(), ExitStack()
    first.enter_context(seldom_collected())
    second.enter_context(seldom_collected())
    first.close()
    assert gc.get_threshold() == ROWS_THRESHOLDS
    second.close()
    assert gc.get_threshold() == before
