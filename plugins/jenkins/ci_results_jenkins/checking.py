"""What `source check` says of a master: who we are there, what it has, and which builds have no item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import jenkins

from ci_results import CollectError, SourceSession

from . import naming, questions
from .address import job_url
from .head import JobHead, jobs_of
from .model import Build, build_of
from .options import Options

SAMPLES = 3
JOBS_ASKED = 20


def check(
    item_from: Callable[[Build], tuple[str, str] | None], options: Options, http: SourceSession
) -> Iterator[str]:
    """Yield lines for an operator. Raises CollectError with what to mend where the master refuses."""
    yield _who(options, http)
    heads = jobs_of(options, http)
    states = Counter(head.state for head in heads)
    yield f"{len(heads)} jobs: " + ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
    newest = [head for head in heads if head.last_build is not None]
    newest.sort(key=lambda head: str(head.last_build), reverse=True)
    builds = [build for head in newest[:JOBS_ASKED] for build in _newest(head, options, http)]
    with_report = sum(bool(build.cases) for build in builds)
    yield f"{with_report} of the newest builds of {len(builds)} jobs have a test report"
    missed = [build for build in builds if item_from(build) is None]
    yield f"an item was found for {len(builds) - len(missed)} of {len(builds)}"
    for build in missed[:SAMPLES]:
        what = "goes to the quarantine" if options.fallback == "quarantine" else "is its own item (ci_build)"
        yield f"no item rule matches {build.key}, so it {what}: {naming.missed(build)}"


def _who(options: Options, http: SourceSession) -> str:
    """Say version and user, as python-jenkins asks for them through our session."""
    server = jenkins.Jenkins(options.url)
    server._session = http
    server._auths = [("session", http.auth)]  # or it takes our credentials off the session
    try:
        version = f"Jenkins {server.get_version()}"
    except jenkins.JenkinsException as err:
        version = f"a server without a version of Jenkins ({str(err)[:80]})"
    try:
        me = server.get_whoami()
    except jenkins.JenkinsException:
        return f"{version}, asked as anonymous"
    return f"{version}, signed in as {me.get('fullName') or me.get('name') or me.get('id') or 'nobody'}"


def _newest(head: JobHead, options: Options, http: SourceSession) -> Iterator[Build]:
    try:
        answer = http.get_json(
            f"{job_url(options.url, head.name)}api/json", tree=f"lastCompletedBuild[{questions.BUILD}]"
        )
        record = answer.get("lastCompletedBuild")
        if record:
            yield build_of(head.name, record, options)
    except CollectError:
        return
