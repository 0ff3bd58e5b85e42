"""Collect the builds and test reports of Jenkins masters.

A team with a master of its own subclasses `Jenkins` and overrides `item_from` and `testcase_from`.
"""

from __future__ import annotations

from typing import Any

from ci_results import Collector, hookimpl

from .collector import Jenkins
from .model import Build, Case
from .options import ItemRule, Options

__all__ = ["Build", "Case", "ItemRule", "Jenkins", "Options", "register_collectors"]


@hookimpl
def register_collectors() -> list[Collector[Any]]:
    """Offer the collector `jenkins`."""
    return [Jenkins()]
