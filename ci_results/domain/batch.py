"""Batch: results on their way to a sink, with what is known of the testcases and groups they name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import overload

from .group import Group
from .receipt import Receipt
from .result import Result

_NOTHING: Mapping[str, str] = MappingProxyType({})
_NO_GROUPS: Mapping[str, Group] = MappingProxyType({})


class Batch(Sequence[Result]):
    """Results in the order in which they were stored; a sequence like any other.

    ref_urls  where testcases of the batch are described, by name; those without are left out
    groups    the groups of the batch, by uuid; those without a description or address are left out
    receipts  what the store noted of each result, in their order; () where they come from no store
    """

    __slots__ = ("_results", "groups", "receipts", "ref_urls")

    def __init__(
        self,
        results: Iterable[Result],
        *,
        ref_urls: Mapping[str, str] = _NOTHING,
        groups: Mapping[str, Group] = _NO_GROUPS,
        receipts: Sequence[Receipt] = (),
    ) -> None:
        self._results = tuple(results)
        self.receipts = receipts
        self.ref_urls = ref_urls
        self.groups = groups

    def __len__(self) -> int:
        return len(self._results)

    @overload
    def __getitem__(self, index: int) -> Result: ...
    @overload
    def __getitem__(self, index: slice) -> Batch: ...
    def __getitem__(self, index: int | slice) -> Result | Batch:
        if isinstance(index, slice):
            return Batch(
                self._results[index],
                ref_urls=self.ref_urls,
                groups=self.groups,
                receipts=self.receipts[index],
            )
        return self._results[index]

    def __repr__(self) -> str:
        return f"Batch of {len(self._results)}"
