"""The checkers: what their files are called, and which formats they are in."""

from __future__ import annotations

from typing import ClassVar

from ci_results import report_outcomes

from .collector import ReportTree

MESSAGE = "resultsdb_message"
"""One result as it was sent over a bus, saved as a file."""


class Rpmgrill(ReportTree):
    """Reports of rpmgrill, which writes each three times: one of a folder is read, JSON first."""

    name: ClassVar[str] = "rpmgrill"
    files: ClassVar[tuple[str, ...]] = ("rpmgrill.json", "rpmgrill.xml", "rpmgrill.yaml")
    formats: ClassVar[tuple[str, ...]] = ("rpmgrill_xml", "rpmgrill", "rpmgrill_yaml")
    outcomes: ClassVar[dict[str, str]] = report_outcomes(formats)


class Covscan(ReportTree):
    """Defects as csmock, csdiff, OpenScanHub and Coverity write them; those added go before all found."""

    name: ClassVar[str] = "covscan"
    files: ClassVar[tuple[str, ...]] = ("covscan*.json", "added.js", "scan-results.js", "scan-results.err")
    formats: ClassVar[tuple[str, ...]] = ("csdiff", "coverity", MESSAGE, "csdiff_text")
    outcomes: ClassVar[dict[str, str]] = report_outcomes(formats)


class Rpmdiff(ReportTree):
    """Runs of rpmdiff as JSON, results of it as messages, and the text of rpmlint's rpmdiff."""

    name: ClassVar[str] = "rpmdiff"
    files: ClassVar[tuple[str, ...]] = ("rpmdiff*.json", "rpmdiff*.txt")
    formats: ClassVar[tuple[str, ...]] = ("rpmdiff", MESSAGE, "rpmdiff_text")
    outcomes: ClassVar[dict[str, str]] = report_outcomes(formats)


class Rpminspect(ReportTree):
    """Results of rpminspect, JSON first."""

    name: ClassVar[str] = "rpminspect"
    files: ClassVar[tuple[str, ...]] = ("rpminspect*.json", "rpminspect*.txt", "rpminspect*.text")
    formats: ClassVar[tuple[str, ...]] = ("rpminspect", "rpminspect_text")
    outcomes: ClassVar[dict[str, str]] = report_outcomes(formats)


class TPS(ReportTree):
    """Runs of TPS as JSON."""

    name: ClassVar[str] = "tps"
    files: ClassVar[tuple[str, ...]] = ("tps*.json",)
    formats: ClassVar[tuple[str, ...]] = ("tps", MESSAGE)
    outcomes: ClassVar[dict[str, str]] = report_outcomes(formats)
