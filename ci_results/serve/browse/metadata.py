"""The metadata that ships with us, and which of a Datasette's databases it is for."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import yaml  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from datasette.app import Datasette  # which imports this plugin: a circle at run time

SECTION = "results"
"""The name of our section in datasette_metadata.yml, and of the database where we mount it ourselves."""

PACKAGED = Path(__file__).parent / "datasette_metadata.yml"

_OURS: WeakKeyDictionary[Datasette, frozenset[str]] = WeakKeyDictionary()
_HOMES: WeakKeyDictionary[Datasette, str | None] = WeakKeyDictionary()


@cache
def packaged() -> dict[str, Any]:
    """Return datasette_metadata.yml as it ships in the package; do not change the answer."""
    return dict(yaml.safe_load(PACKAGED.read_text(encoding="utf-8")))


async def find_ours(datasette: Datasette) -> None:
    """Look which databases have our views; called once, when Datasette starts."""
    found = []
    for name, database in datasette.databases.items():
        if await database.get_view_definition("latest_result") and await database.table_exists("_result"):
            found.append(name)
    _OURS[datasette] = frozenset(found)
    config = datasette.plugin_config("ci_results") or {}
    _HOMES[datasette] = config.get("home")


def ours(datasette: Datasette) -> frozenset[str]:
    """Return the names of the databases that are ours, e.g. {"results"}."""
    return _OURS.get(datasette, frozenset())


def home(datasette: Datasette) -> str | None:
    """Return where our own pages are ("/"), or None under a plain Datasette, which has none."""
    return _HOMES.get(datasette)


def archived(datasette: Datasette) -> bool:
    """Say whether our own pages show what is kept of runs."""
    return bool((datasette.plugin_config("ci_results") or {}).get("archived"))


def under_other_names(datasette: Datasette) -> dict[str, Any]:
    """Return our section for each database of ours whose file is not called results.db."""
    names = ours(datasette) - {SECTION}
    section = packaged()["databases"][SECTION]
    return {"databases": dict.fromkeys(names, section)} if names else {}
