"""Each collector keeps the contract that every collector keeps, over the example's reports behind HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from ci_results_errata_checks import TPS, Covscan, ItemRule, Options, Rpmdiff, Rpmgrill, Rpminspect

from ci_results.testing import CollectorContract
from ci_results.testing.exchange import Exchange

from .served_tree import index

REPORTS = Path(__file__).parents[3] / "examples" / "errata" / "reports"
ROOT = "https://source.test/reports/"


class OverReports(CollectorContract):
    """The exchanges of a harvest of one folder of the example, as Apache would answer."""

    folder: ClassVar[str]
    options = Options(url=ROOT)
    pages = staticmethod(lambda: None)

    def exchanges(self) -> Sequence[Exchange]:
        root = REPORTS / self.folder
        told = [Exchange(url=ROOT, headers={"Content-Type": "text/html"}, body=index(root, "apache"))]
        for place in sorted(root.rglob("*")):
            url = ROOT + place.relative_to(root).as_posix()
            if place.is_dir():
                html = {"Content-Type": "text/html"}
                told.append(Exchange(url=f"{url}/", headers=html, body=index(place, "apache")))
            else:
                told.append(Exchange(url=url, headers={}, body=place.read_bytes()))
        return told


class TestRpmgrill(OverReports):
    collector = Rpmgrill()
    folder = "rpmgrill"


class TestCovscan(OverReports):
    collector = Covscan()
    folder = "covscan"


class TestRpmdiff(OverReports):
    collector = Rpmdiff()
    folder = "rpmdiff"


class TestRpminspect(OverReports):
    collector = Rpminspect()
    folder = "rpminspect"
    options = Options(url=ROOT, item=(ItemRule(find="folder"),))

    def exchanges(self) -> Sequence[Exchange]:
        """Rename what a recording would blank: who may waive is called an authorization."""
        old, new = b"waiver authorization", b"may be waived by"
        return [replace(each, body=each.body.replace(old, new)) for each in super().exchanges()]


class TestTPS(OverReports):
    collector = TPS()
    folder = "tps"


del OverReports, CollectorContract
