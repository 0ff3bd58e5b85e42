"""Group: results that belong together (a test run, an advisory), named by a uuid of its owner's choice."""

from __future__ import annotations

from typing import NamedTuple


class Group(NamedTuple):
    """A group as it is stored.

    uuid     any text of 1 to 1024 characters
    results  how many results it has
    """

    uuid: str
    description: str | None = None
    ref_url: str | None = None
    results: int = 0
