"""Receipt: what a store noted when it took a result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple


class Receipt(NamedTuple):
    """Where a result stands in the order of commits.

    seq          number of the commit that stored it
    id           its number; (seq, id) is the order in which results are handed on
    received_at  when it was stored, aware UTC
    door         by which it came: "harvest", "api"
    digest       of its content: what has the same is a repeat; 0 = not told
    signature    what its failure looks like, None where it has none
    own          names of those of its attributes that its run does not keep for it
    hidden       what the run keeps under these names for other results
    supersedes   ids of earlier results that it took the place of
    superseded_by  id of an earlier one that it came too late for
    """

    seq: int
    id: int
    received_at: datetime
    door: str = ""
    digest: int = 0
    signature: str | None = None
    own: tuple[str, ...] = ()
    hidden: Mapping[str, Sequence[str]] = MappingProxyType({})
    supersedes: tuple[int, ...] = ()
    superseded_by: int | None = None
