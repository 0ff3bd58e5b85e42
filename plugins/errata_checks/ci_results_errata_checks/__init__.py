"""Collect the reports of the checks that run on each build of an advisory, wherever they are kept.

rpmgrill, covscan, rpmdiff, rpminspect and TPS leave their reports in a tree of folders, on disk or
behind HTTP. No advisory is needed: a report is about a build.
"""

from __future__ import annotations

from typing import Any

from ci_results import Collector, hookimpl

from .checkers import TPS, Covscan, Rpmdiff, Rpmgrill, Rpminspect
from .collector import ReportTree
from .options import ItemRule, Options

__all__ = [
    "TPS",
    "Covscan",
    "ItemRule",
    "Options",
    "ReportTree",
    "Rpmdiff",
    "Rpmgrill",
    "Rpminspect",
    "register_collectors",
]


@hookimpl
def register_collectors() -> list[Collector[Any]]:
    """Offer the collectors, one a checker."""
    return [Rpmgrill(), Covscan(), Rpmdiff(), Rpminspect(), TPS()]
