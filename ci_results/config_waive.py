"""Table `waive` of ci-results.toml: who may waive what, and how many others have to approve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import ConfigError, InvalidError
from .strict import structure
from .waive.products import Products, read_products
from .waive.rules import Rule, Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    products: str | None = None
    superusers: frozenset[str] = frozenset()
    peers_lenient: bool = True
    rules: tuple[Rule, ...] = ()


def read_rules(table: Mapping[str, Any], where: str, folder: Path) -> Rules:
    """Read table `waive`; the file `products` counts from `folder`. Raises ConfigError."""
    given: _Table = structure(table, _Table, where)
    products = (
        None if given.products is None else _products(folder / Path(given.products).expanduser(), where)
    )
    return Rules(
        rules=given.rules, superusers=given.superusers, products=products, peers_lenient=given.peers_lenient
    )  # fmt: skip


def _products(path: Path, where: str) -> Products:
    try:
        return read_products(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as err:
        raise ConfigError(f"{where} products: {path} cannot be read: {err}") from err
    except InvalidError as err:
        raise ConfigError(f"{where} products: {path}: {err}") from err
