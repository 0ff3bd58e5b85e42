"""Damage recorded answers in ways that happen, so that a contract sees what a plugin makes of them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .exchange import Exchange

Path = tuple[str | int, ...]

LOGIN_PAGE = b"<!doctype html><html><head><title>Sign in</title></head><body><form></form></body></html>"
STRANGE: dict[str, str] = {"unexpected": "record"}


@dataclass(frozen=True, slots=True)
class Damage:
    """A changed answer: what was done to which exchange, for messages, and the exchange to give instead."""

    what: str
    old: Exchange
    new: Exchange

    def __call__(self, number: int, exchange: Exchange) -> Exchange | Exception:
        """Give the changed answer in place of the one it was made of."""
        return self.new if exchange is self.old else exchange


def strange_records(exchanges: Sequence[Exchange]) -> Iterator[Damage]:
    """Replace the first record of a list by one that nobody knows; one damage a kind of list."""
    for exchange, path, records in _lists(exchanges):
        del records
        yield _changed(exchange, (*path, 0), f"record {_shown((*path, 0))} is {STRANGE}", _set_strange)


def emptied_lists(exchanges: Sequence[Exchange]) -> Iterator[Damage]:
    """Empty a list of records, as a run that executed nothing does; one damage a list."""
    for exchange, path, _ in _lists(exchanges, every=True):
        yield _changed(exchange, path, f"list {_shown(path)} is empty", _set_empty)


def missing_fields(exchanges: Sequence[Exchange]) -> Iterator[Damage]:
    """Take one field out of the first record of a list; one damage a kind of list and field."""
    for exchange, path, records in _lists(exchanges):
        for name in records[0]:
            place = (*path, 0, name)
            yield _changed(exchange, place, f"field {_shown(place)} is missing", _remove)


def cut_short(exchanges: Sequence[Exchange]) -> Iterator[Damage]:
    """Cut an answer in the middle, as a proxy that gives up does."""
    for exchange in exchanges:
        if len(exchange.body) > 2:
            cut = exchange.body[: len(exchange.body) // 2]
            yield Damage("answer is cut in the middle", exchange, replace(exchange, body=cut))


def spread(damages: Iterator[Damage], most: int) -> list[Damage]:
    """Return at most `most` of `damages`, evenly spread over them all."""
    every = list(damages)
    if len(every) <= most:
        return every
    return [every[n * len(every) // most] for n in range(most)]


def _lists(exchanges: Sequence[Exchange], every: bool = False) -> Iterator[tuple[Exchange, Path, list[Any]]]:
    """Give each list of records in JSON answers; only the longest of its kind unless `every` is wanted."""
    found: dict[tuple[str, ...], tuple[Exchange, Path, list[Any]]] = {}
    for exchange in exchanges:
        if exchange.status >= 300:
            continue
        try:
            document = json.loads(exchange.body)
        except ValueError:
            continue
        for path, records in _walk(document, ()):
            kind = tuple("*" if isinstance(step, int) else step for step in path)
            kind += tuple(sorted(map(str, records[0])))
            if every:
                kind += (str(len(found)),)
            if kind not in found or len(records) > len(found[kind][2]):
                found[kind] = exchange, path, records
    yield from found.values()


def _walk(value: Any, path: Path) -> Iterator[tuple[Path, list[Any]]]:
    if isinstance(value, list):
        if value and isinstance(value[0], dict) and value[0]:
            yield path, value
        for index, inner in enumerate(value):
            yield from _walk(inner, (*path, index))
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _walk(inner, (*path, name))


def _changed(exchange: Exchange, path: Path, what: str, change: Callable[[Any, str | int], None]) -> Damage:
    box = {"": copy.deepcopy(json.loads(exchange.body))}
    inner: Any = box
    for step in ("", *path)[:-1]:
        inner = inner[step]
    change(inner, ("", *path)[-1])
    body = json.dumps(box[""]).encode("utf-8", "surrogatepass")
    return Damage(f"{what} in {exchange.name or exchange.asked}", exchange, replace(exchange, body=body))


def _set_strange(inside: Any, step: str | int) -> None:
    inside[step] = STRANGE


def _set_empty(inside: Any, step: str | int) -> None:
    inside[step] = []


def _remove(inside: Any, step: str | int) -> None:
    del inside[step]


def _shown(path: Path) -> str:
    """Show a path as people write it: jobs[0].builds[3].number."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.lstrip(".") or "the answer itself"
