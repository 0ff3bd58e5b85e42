"""Look at a plugin's modules as the manager does: which functions are hooks, which only look like one."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Iterator
from types import FunctionType, ModuleType
from typing import Any

from ..plugin import spec

HOOKS: frozenset[str] = frozenset(
    name for name, value in vars(spec).items() if hasattr(value, f"{spec.PROJECT}_spec")
)
_LIKENESS = 0.8


def modules_of(thing: object, plugin: ModuleType | None) -> list[ModuleType]:
    """Return the modules that may hold the hooks: `plugin`, or where `thing` is defined and above."""
    if plugin is not None:
        return [plugin]
    name = type(thing).__module__
    found = []
    while name:
        if name in sys.modules:
            found.append(sys.modules[name])
        name = name.rpartition(".")[0]
    return found


def faults(modules: Iterable[ModuleType]) -> Iterator[str]:
    """Say of each function that was meant as a hook why it is none."""
    for module in modules:
        for name, function in _functions(module):
            mark = getattr(function, f"{spec.PROJECT}_impl", None)
            hook = (mark or {}).get("specname") or name
            near = difflib.get_close_matches(hook, HOOKS, 1, _LIKENESS)
            where = f"({module.__name__})"
            if mark is not None and hook not in HOOKS:
                meant = f", did you mean {near[0]}" if near else ""
                yield f"no hook is called {hook}{meant} {where}"
            elif mark is None and name in HOOKS:
                yield f"{name} lacks @hookimpl {where}"
            elif mark is None and near:
                yield f"{name} looks like the hook {near[0]}, misspelt and without @hookimpl {where}"


def offers(modules: Iterable[ModuleType], hook: str) -> list[Any]:
    """Return what the implementations of a registering hook give, all joined."""
    given: list[Any] = []
    for module in modules:
        for name, function in _functions(module):
            mark = getattr(function, f"{spec.PROJECT}_impl", None)
            if mark is not None and (mark.get("specname") or name) == hook:
                given.extend(function())
    return given


def _functions(module: ModuleType) -> Iterator[tuple[str, FunctionType]]:
    for name, value in list(vars(module).items()):
        if isinstance(value, FunctionType):
            yield name, value
