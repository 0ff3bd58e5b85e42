"""Moment: what several questions read together, as it stands after one commit."""

from __future__ import annotations

from typing import NamedTuple


class Moment(NamedTuple):
    """After which commit is read, and what there may be then of the subject that was named.

    seq           of the newest commit, 0 for none
    waivers       False: nobody ever asked for a waiver of the subject
    expectations  False: no result of the subject was ever expected
    """

    seq: int
    waivers: bool = True
    expectations: bool = True
