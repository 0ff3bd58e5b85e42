"""Merge small pages that wait together into one, and hand the ids of the whole back to each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..domain.page import Page


def kind(page: Page) -> tuple[str, str, bool]:
    """Say which pages may be merged with this one: those of equal kind."""
    return page.source, page.door, page.once


def merge(pages: Sequence[Page]) -> tuple[Page, tuple[int, ...]]:
    """Return one page with all that `pages` say, in order, and how many results each of them has.

    They are of one kind, and have neither cursor, lease, quarantine nor jobs.
    """
    groups: dict[str, dict[str, str | None]] = {}
    ref_urls: dict[str, str | None] = {}
    for page in pages:
        ref_urls.update(page.ref_urls)
        for uuid, said in page.groups.items():
            groups.setdefault(uuid, {}).update(said)
    whole = replace(
        pages[0],
        results=[result for page in pages for result in page.results],
        groups=groups,
        testcases=[name for page in pages for name in page.testcases],
        ref_urls=ref_urls,
    )
    return whole, tuple(len(page.results) for page in pages)


@dataclass(frozen=True, slots=True)
class Together:
    """A merged page; `split` cuts its ids for the pages it was made of."""

    page: Page
    sizes: tuple[int, ...]

    def split(self, ids: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        """Yield the ids of each page's results."""
        start = 0
        for size in self.sizes:
            yield ids[start : start + size]
            start += size
