"""The questions that are asked of a master, each bounded by `tree=`; see JENKINS: what each costs it."""

from __future__ import annotations

LEVELS = 5
"""Folder levels that one head request sees; deeper folders are asked themselves."""

NEWEST = 100
"""`builds` never lists more than these."""

_JOB = (
    "_class,fullName,color,nextBuildNumber,lastBuild[number,building],"
    "lastCompletedBuild[number,timestamp,duration]"
)

BUILD = (
    "number,result,building,timestamp,duration,displayName,description,artifacts[relativePath],"
    "actions[parameters[name,value],causes[shortDescription,upstreamProject,upstreamBuild],"
    "failCount,skipCount,totalCount]"
)

_SUITES = (
    "suites[name,enclosingBlockNames,"
    "cases[className,name,status,duration,errorDetails,errorStackTrace,skippedMessage]]"
)

REPORT = f"{_SUITES},childReports[child[number,url],result[{_SUITES}]]"


def head(levels: int = LEVELS) -> str:
    """Return the tree of the head request: all jobs with their next numbers."""
    tree = f"jobs[{_JOB}]"
    for _ in range(levels - 1):
        tree = f"jobs[{_JOB},{tree}]"
    return tree


def builds(count: int) -> str:
    """Return the tree for a job's newest `count` builds; more than NEWEST need the whole list, once."""
    return f"builds[{BUILD}]{{0,{count}}}" if count <= NEWEST else f"allBuilds[{BUILD}]"
