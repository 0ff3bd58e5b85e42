"""Rules that hold for what a plugin is, before it does anything: names, options, hooks."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from .hooks import faults, offers
from .lessons import broken

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_CHANGES = (list, dict, set, bytearray)


def check_name(thing: Any, rule: str = "name") -> None:
    """Break `rule` unless `thing.name` is plain."""
    name = getattr(thing, "name", None)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise broken(rule, f"name of {type(thing).__name__} is {name!r}")


def check_options(thing: Any, options: Any) -> None:
    """Break the rule "options" unless they are a frozen dataclass that holds nothing that changes."""
    kind = getattr(thing, "options", None)
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
        raise broken("options", f"options of {type(thing).__name__} is no dataclass: {kind!r}")
    if not kind.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise broken("options", f"dataclass {kind.__name__} is not frozen")
    if not isinstance(options, kind):
        raise broken("options", f"the contract's options are no {kind.__name__}: {options!r}")
    for field in dataclasses.fields(kind):
        value = getattr(options, field.name)
        if isinstance(value, _CHANGES):
            raise broken(
                "options", f"option {field.name} holds a {type(value).__name__}, which can change: {value!r}"
            )


def check_hooks(modules: Iterable[ModuleType]) -> None:
    """Break the rule "hooks" for a function that was meant as a hook and is none."""
    found = list(faults(modules))
    if found:
        raise broken("hooks", "; ".join(found))


def check_offered(modules: Iterable[ModuleType], hook: str, thing: Any) -> None:
    """Break the rule "offered" unless `hook` offers something of the class and name of `thing`."""
    searched = list(modules)
    given = offers(searched, hook)
    if not any(type(one) is type(thing) and one.name == thing.name for one in given):
        names = ", ".join(module.__name__ for module in searched)
        raise broken("offered", f"{hook} offers no {type(thing).__name__} (looked in {names})")
