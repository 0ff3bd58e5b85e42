"""Products: the product versions that there are, read from a table; a misspelt one is told the nearest."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

import orjson

from ..errors import InvalidError, shown

NAMES = ("product_version", "product_version_id", "release_id", "id")
"""What the column or member with the key may be called; the middle ones are those of PDC's exports."""

LISTS = ("results", "product_versions", "releases")
"""Members of a JSON object that may hold the list."""


@dataclass(frozen=True, slots=True)
class Products:
    """Product versions by their keys, e.g. {"fedora-40", "rhel-7.4"}."""

    keys: frozenset[str]

    def check(self, key: str) -> str:
        """Return `key` if it is one of them. Raises InvalidError that names the nearest."""
        if key in self.keys:
            return key
        near = get_close_matches(key, sorted(self.keys), n=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise InvalidError(f"product version {shown(key)} is not in the table of products{hint}")


def read_products(text: str) -> Products:
    """Read a table of product versions: JSON, or CSV with a head.

    JSON is a list, or an object with a list as `results`, of texts or of objects with a key. In CSV the
    key stands in the column of one of NAMES, else in the first. Raises InvalidError.
    """
    keys = list(_from_json(text) if text.lstrip()[:1] in ("[", "{") else _from_csv(text))
    if not keys:
        raise InvalidError("the table of products has no product version")
    return Products(frozenset(keys))


def _from_json(text: str) -> Iterable[str]:
    try:
        table = orjson.loads(text)
    except orjson.JSONDecodeError as err:
        raise InvalidError(f"the table of products is no JSON: {err}") from err
    if isinstance(table, dict):
        table = next((table[name] for name in LISTS if name in table), None)
    if not isinstance(table, list):
        raise InvalidError(f"the table of products has no list, nor one as {' or '.join(LISTS)}")
    for number, entry in enumerate(table):
        if isinstance(entry, dict):
            entry = next((entry[name] for name in NAMES if name in entry), None)
        if not isinstance(entry, str) or not entry.strip():
            raise InvalidError(f"entry {number} of the table of products has no key: {' or '.join(NAMES)}")
        yield entry.strip()


def _from_csv(text: str) -> Iterable[str]:
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    if not rows:
        return
    head = [cell.strip() for cell in rows[0]]
    column = next((head.index(name) for name in NAMES if name in head), None)
    for row in rows if column is None else rows[1:]:
        cell = row[column or 0].strip() if len(row) > (column or 0) else ""
        if cell:
            yield cell
