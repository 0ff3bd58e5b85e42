"""Remote rule files and times of builds: real servers on loopback, on both kinds of store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from forge import File, Forge, forge
from gate_cases import BASH, HEAD, TYPES, asked, put

from ci_results.decide.policy_set import Settings, load
from ci_results.domain.asked import BuildTimeOf, Fetched, RemoteFileOf
from ci_results.domain.decision import Decision, Requirement, Verdict
from ci_results.domain.reach import Reach
from ci_results.domain.subject import Subject
from ci_results.domain.waiver import Terms
from ci_results.errors import ConfigError, InvalidError
from ci_results.operations import waive
from ci_results.operations.gate import Gate, decide
from ci_results.operations.gating import facts
from ci_results.operations.gating.outside import Outside
from ci_results.operations.waive import Desk, Wish
from ci_results.plugin.koji import Koji, KojiOptions
from ci_results.plugin.lookups import ConfiguredLookup
from ci_results.store.protocol import Store
from ci_results.testing.store_contract import result
from ci_results.waive.life import Actor

PATH = "/rpms/bash/raw/c0ffee/f/gating.yaml"
GATING = b"""\
--- !Policy
decision_context: push
rules:
- !PassingTestCaseRule {test_case_name: own.case}
"""
REMOTE = "- !RemoteRule {required: %s}\n"
FILE = RemoteFileOf(BASH, ())


@pytest.fixture
def store(each_store: Store) -> Store:
    return each_store


@pytest.fixture
def server() -> Iterator[Forge]:
    with forge() as served:
        served.build(BASH.identifier)
        yield served


def template(server: Forge) -> str:
    return server.url + "/{pkg_namespace}{pkg_name}/raw/{rev}/f/gating.yaml"


@contextmanager
def outside(server: Forge, *templates: str, koji: bool = True, **limits: Any) -> Iterator[Outside]:
    """What may be asked: the templates given, else that of a package's own repository."""
    chosen = templates or (template(server),)
    found = Outside(
        Settings(remote_rule_policies={"*": chosen}),
        Reach(**{"attempts": 1, **limits}),
        ConfiguredLookup(lookup=Koji(), options=KojiOptions(url=server.koji)) if koji else None,
    )
    try:
        yield found
    finally:
        found.close()


def decided(store: Store, beyond: Outside | None, required: bool = False, **changed: Any) -> Decision:
    policies = load([("x.yaml", (HEAD + REMOTE % str(required).lower()).encode())], TYPES)
    return decide(Gate(store=store, policies=policies, outside=beyond), asked(**changed))


def told(decision: Decision) -> list[tuple[str, str]]:
    return [(str(each.state), each.testcase) for each in decision.requirements]


def only(decision: Decision) -> Requirement:
    (each,) = decision.requirements
    return each


# -- what a file requires ----------------------------------------------------------------------------


def test_what_a_file_of_the_package_requires_is_required(store: Store, server: Forge) -> None:
    server.files[PATH] = GATING
    with outside(server) as beyond:
        made = decided(store, beyond)
        assert told(made) == [("fetched", "fetched-gating-yaml"), ("missing", "own.case")]
        assert made.verdict is Verdict.WAIT
        fetched, own = made.requirements
        assert fetched.addresses == (server.url + PATH,)
        assert (own.policy.source, str(own.place)) == (server.url + PATH, f"{server.url}{PATH}:4")
        put(store, result("1", testcase="own.case"))
        assert decided(store, beyond).verdict is Verdict.GO
    assert server.seen == [f"getBuild {BASH.identifier}", f"GET {PATH}"]


def test_a_file_that_is_not_there_is_no_error_unless_it_is_required(store: Store, server: Forge) -> None:
    with outside(server) as beyond:
        assert (decided(store, beyond).verdict, told(decided(store, beyond))) == (Verdict.GO, [])
        made = decided(store, beyond, required=True)
        assert (made.verdict, told(made)) == (Verdict.NO_GO, [("file missing", "missing-gating-yaml")])
        assert only(made).addresses == (server.url + PATH,)


@pytest.mark.parametrize("required", [False, True])
@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 503, 204])
def test_a_host_that_does_not_tell_is_an_error_and_says_which(
    server: Forge, status: int, required: bool
) -> None:
    server.files[PATH] = File(b"x", status)
    with outside(server) as beyond:
        found = beyond.file(FILE)
    assert (found.text, found.away, found.tried) == (None, True, (server.url + PATH,))
    assert server.url in str(found.error)
    assert str(status) in str(found.error)


def test_a_dead_host_closes_the_gate_and_is_named(store: Store, server: Forge) -> None:
    dead = "http://127.0.0.1:1/{subject_id}.yaml"
    with outside(server, dead) as beyond:
        made = decided(store, beyond)
    each = only(made)
    assert (made.verdict, str(each.state)) == (Verdict.ERROR, "file not reached")
    assert f"http://127.0.0.1:1/{BASH.identifier}.yaml" in str(each.said)


def test_a_host_that_takes_too_long_is_an_error(server: Forge) -> None:
    server.files[PATH] = File(GATING, pause_s=1.5)
    with outside(server, timeout_s=0.3) as beyond:
        found = beyond.file(FILE)
    assert found.away
    assert "no answer within the time-out" in str(found.error)


def test_a_file_that_is_too_large_is_an_error(server: Forge) -> None:
    server.files[PATH] = GATING + b"#" * 10_000
    with outside(server, max_bytes=10_000) as beyond:
        assert "larger than 10000 bytes" in str(beyond.file(FILE).error)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"rules: []", "No decision contexts provided"),
        (b"{", "YAML Parser Error"),
        (b"--- !Policy\ndecision_context: push\nrules: [!RemoteRule {}]", "not allowed in remote policies"),
        (b"decision_context: push\nrules: [!SelectRule {name: x, select: select 1}]", "not allowed in"),
        (b"decision_context: push\nrules: [!!python/object/apply:os.system ['x']]", "for the tag"),
        (b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
            b"%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n" % ((98 + n,) * 2 + (97 + n,) * 8)
            for n in range(9)
        ), "aliases expand to more"),
        (b"\xff\xfe\x00", "YAML Parser Error"),
    ],
)  # fmt: skip
def test_a_file_that_is_wrong_closes_the_gate_and_may_be_waived(
    store: Store, server: Forge, text: bytes, said: str
) -> None:
    server.files[PATH] = text
    with outside(server) as beyond:
        made = decided(store, beyond)
        assert [name for _, name in told(made)] == ["fetched-gating-yaml", "invalid-gating-yaml"]
        assert made.verdict is Verdict.NO_GO
        assert said in str(made.requirements and list(made.requirements)[1].said)
        terms = Terms(
            subject_type=BASH.type, subject=BASH.identifier, testcase="invalid-gating-yaml",
            product_version="f40",
        )  # fmt: skip
        waive.grant(Desk(store=store), [Wish(terms=terms, comment="known")], Actor(username="d", via="cli"))
        assert decided(store, beyond).verdict is Verdict.GO


# -- where it is looked for --------------------------------------------------------------------------


def test_the_first_address_that_has_a_file_counts(server: Forge) -> None:
    server.files["/two.yaml"] = GATING
    addresses = [f"{server.url}/{name}.yaml" for name in ("one", "two", "three")]
    with outside(server, *addresses) as beyond:
        assert beyond.file(FILE) == Fetched(GATING, addresses[1], tuple(addresses[:2]))
    assert server.seen == ["GET /one.yaml", "GET /two.yaml"]


def test_an_address_behind_a_host_that_does_not_tell_is_not_taken_instead(server: Forge) -> None:
    server.files |= {"/one.yaml": File(status=500), "/two.yaml": GATING}
    with outside(server, f"{server.url}/one.yaml", f"{server.url}/two.yaml") as beyond:
        found = beyond.file(FILE)
    assert (found.text, found.away) == (None, True)


def test_a_build_without_source_has_no_file_of_its_own(server: Forge) -> None:
    server.build(BASH.identifier, source=None)
    server.files["/bash-5.2-1.fc40.yaml"] = GATING
    with outside(server, template(server), server.url + "/{subject_id}.yaml") as beyond:
        assert beyond.file(FILE).url == f"{server.url}/bash-5.2-1.fc40.yaml"


@pytest.mark.parametrize(
    ("identifier", "build", "said", "away"),
    [
        ("bash-9-1", None, "Koji build not found for subject_type 'koji_build', subject_identifier 'bash-",
         False),
        ("bash", None, "Failed to get remote policies: 400 Bad Request: Invalid NVR format: 'bash'", False),
        ("bash-9-1", "the database is down", "getBuild: the database is down", True),
        ("bash-9-1", {"source": "git://x/bash"}, "missing URL fragment with SCM revision information", False),
        ("bash-9-1", {"source": "git://x/..#abc"}, "is no part of the address", False),
    ],
)  # fmt: skip
def test_why_a_build_gives_no_address_is_told(
    store: Store, server: Forge, identifier: str, build: Any, said: str, away: bool
) -> None:
    if isinstance(build, str):
        server.builds[identifier] = build
    elif build is not None:
        server.build(identifier, **build)
    subject = Subject("koji_build", identifier)
    with outside(server) as beyond:
        found = beyond.file(RemoteFileOf(subject, ()))
        assert said in str(found.error)
        assert (found.away, found.tried) == (away, ())
        made = decided(store, beyond, subjects=(subject,))
        assert (made.verdict, told(made)) == (
            Verdict.ERROR,
            [("file not reached", "failed-fetch-gating-yaml")],
        )
        assert only(made).said == found.error


def test_what_is_not_configured_is_an_error_that_says_what_to_write(store: Store, server: Forge) -> None:
    with outside(server, koji=False) as beyond:
        assert "write [gate.builds]" in str(only(decided(store, beyond)).said)
    nowhere = Outside(Settings(), Reach())
    assert "set remote_rule_policies of [gate]" in str(only(decided(store, nowhere)).said)
    assert decided(store, nowhere).verdict is decided(store, None).verdict is Verdict.ERROR
    nowhere.close()


# -- who may be asked --------------------------------------------------------------------------------


def own(server: Forge, *sources: str, **limits: Any) -> Fetched:
    with outside(server, **limits) as beyond:
        return beyond.file(RemoteFileOf(BASH, sources))


@pytest.mark.parametrize(
    "source",
    [
        "http://127.0.0.2:80/x",
        "https://127.0.0.1:80/x",
        "http://169.254.169.254/latest/meta-data",
        "http://{subject_id}/x",
        "http://user:secret@HOST/x",
        "http://HOST@127.0.0.2/x",
        "http://HOST\\@127.0.0.2/x",
        "file:///etc/passwd",
        "gopher://HOST/x",
        "//HOST/x",
        "HOST",
        "http://[::1/x",
        "",
    ],
)
def test_a_host_that_is_not_configured_is_never_asked(server: Forge, source: str) -> None:
    found = own(server, source.replace("HOST", server.url.removeprefix("http://")))
    assert (found.text, found.away) == (None, True)
    assert found.error
    assert server.seen == []


def test_the_error_says_where_to_add_a_host(server: Forge) -> None:
    assert str(own(server, "http://127.0.0.2/x").error) == (
        "http://127.0.0.2:80 may not be asked for rules; if it should be, add it to hosts of [gate.remote]"
    )
    server.files["/x"] = GATING
    other = Outside(Settings(), Reach(hosts=(server.url,)))
    assert other.file(RemoteFileOf(BASH, (f"{server.url}/x",))).text == GATING
    other.close()


@pytest.mark.parametrize("host", ["", "http://x/y", "ftp://x", "http://u@x", "x y", "http://x:port"])
def test_a_host_that_is_none_is_an_error_of_the_configuration(host: str) -> None:
    with pytest.raises(ConfigError, match=r"\[gate.remote\] hosts: .* is no host; write src.example"):
        Outside(Settings(), Reach(hosts=(host,)))


@pytest.mark.parametrize("address", ["src.example/x", "https://{pkg_name}.example/x", "file:///x"])
def test_a_template_without_a_host_is_an_error_of_the_configuration(address: str) -> None:
    with pytest.raises(ConfigError, match="must begin with https:// and a host"):
        Outside(Settings(dist_git_url_template=address), Reach())


def test_a_redirect_stays_with_its_host(server: Forge) -> None:
    with forge() as other:
        other.files["/x"] = GATING
        server.files |= {
            "/there": File(status=302, headers={"Location": f"{other.url}/x"}),
            "/here": File(status=302, headers={"Location": "/x"}),
            "/round": File(status=302, headers={"Location": "/round"}),
            "/x": GATING,
        }
        assert "which is not followed" in str(own(server, f"{server.url}/there").error)
        assert other.seen == []
        assert own(server, f"{server.url}/here").text == GATING
        assert "redirects" in str(own(server, f"{server.url}/round").error)


@pytest.mark.parametrize(
    ("identifier", "path"),
    [
        ("../../evil/x", "/rules/..%2F..%2Fevil%2Fx.yaml"),
        ("x?a=b#c", "/rules/x%3Fa=b%23c.yaml"),
        ("a%2Fb", "/rules/a%252Fb.yaml"),
        ("bash-1~rc1^git+2-1.fc40", "/rules/bash-1~rc1^git+2-1.fc40.yaml"),
        ("sha256:12ab", "/rules/12ab.yaml"),
    ],
)
def test_who_names_a_subject_does_not_choose_the_file(server: Forge, identifier: str, path: str) -> None:
    with outside(server, server.url + "/rules/{subject_id}.yaml") as beyond:
        beyond.file(RemoteFileOf(Subject("koji_build", identifier), ()))
    (seen,) = server.seen
    assert seen.replace("%5E", "^") == f"GET {path}"


# -- what is remembered ------------------------------------------------------------------------------


def test_a_file_is_asked_for_again_after_its_time_and_only_for_news(server: Forge) -> None:
    server.files[PATH] = File(GATING, headers={"ETag": '"1"'})
    with outside(server, ttl_s=0) as beyond:
        assert [beyond.file(FILE).text for _ in range(3)] == [GATING] * 3
        assert [each.get("If-None-Match") for each in server.headers] == [None, '"1"', '"1"']
        server.files[PATH] = File(b"new", headers={"ETag": '"2"'})
        assert beyond.file(FILE).text == b"new"
        del server.files[PATH]
        assert beyond.file(FILE).text is None
        server.files[PATH] = GATING
        with outside(server) as longer:
            assert [longer.file(FILE).text for _ in range(3)] == [GATING] * 3
    assert server.seen.count(f"GET {PATH}") == 6
    assert server.seen.count(f"getBuild {BASH.identifier}") == 2


def test_absence_and_errors_are_remembered_for_a_while(server: Forge) -> None:
    for found in (None, File(status=500)):
        if found is not None:
            server.files[PATH] = found
        server.seen.clear()
        with outside(server, missing_ttl_s=100, error_ttl_s=100) as beyond:
            first, second = beyond.file(FILE), beyond.file(FILE)
        assert first == second
        assert server.seen.count(f"GET {PATH}") == 1
    server.seen.clear()
    with outside(server, missing_ttl_s=0, error_ttl_s=0) as beyond:
        assert beyond.file(FILE).away
        del server.files[PATH]
        assert beyond.file(FILE) == Fetched(tried=(server.url + PATH,))
        server.files[PATH] = GATING
        assert beyond.file(FILE).text == GATING


def test_many_subjects_are_asked_for_at_once_within_bounds_and_each_file_once(server: Forge) -> None:
    builds = [Subject("koji_build", f"p{number}-1-1.fc40") for number in range(12)]
    for each in builds:
        server.build(each.identifier, source="git://x/rpms/one#abc")
        server.files[f"/{each.identifier}"] = File(GATING, pause_s=0.1)
    server.files["/rpms/one/raw/abc/f/gating.yaml"] = File(GATING, pause_s=0.3)
    with outside(server, parallel=4) as beyond:
        found = beyond.files([RemoteFileOf(each, ()) for each in builds])
        assert {each.text for each in found.values()} == {GATING}
        assert server.seen.count("GET /rpms/one/raw/abc/f/gating.yaml") == 1
        by_name = (server.url + "/{subject_id}",)
        found = beyond.files([RemoteFileOf(each, by_name) for each in builds])
        assert list(found) == [RemoteFileOf(each, by_name) for each in builds]
    assert 1 < server.most_at_once <= 4


def test_what_is_remembered_is_bounded(server: Forge) -> None:
    for number in range(20):
        server.files[f"/{number}"] = b"#" * 8_000
    with outside(server, kept_bytes=50_000) as beyond:
        for number in range(20):
            beyond.file(RemoteFileOf(BASH, (f"{server.url}/{number}",)))
        assert len(beyond._fetcher._kept) == 5


def test_how_much_a_request_may_have_fetched_is_bounded(
    store: Store, server: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = own(server, *[f"{server.url}/{number}" for number in range(21)])
    assert "names 21 addresses; name at most 20" in str(found.error)
    assert server.seen == []
    monkeypatch.setattr(facts, "FILES", 3)
    many = tuple(Subject("koji_build", f"p{number}-1-1.fc40") for number in range(4))
    with outside(server, server.url + "/{subject_id}") as beyond:
        assert decided(store, beyond, subjects=many[:3]).verdict is Verdict.GO
        with pytest.raises(InvalidError, match="ask for fewer subjects"):
            decided(store, beyond, subjects=many)


# -- times of builds ---------------------------------------------------------------------------------


def rule_of_time(**bounds: str) -> str:
    listed = ", ".join(f"{key}: {value}" for key, value in bounds.items())
    return f"{HEAD}- !PassingTestCaseRule {{test_case_name: ns.case, {listed}}}\n"


@pytest.mark.parametrize(
    ("bounds", "verdict"),
    [
        ({"valid_since": "2026-03-01"}, Verdict.NO_GO),
        ({"valid_since": "2026-03-02"}, Verdict.GO),
        ({"valid_until": "2026-03-01"}, Verdict.GO),
        ({"valid_until": "2026-03-02"}, Verdict.NO_GO),
    ],
)
def test_a_rule_of_a_time_goes_by_when_the_build_was_made(
    store: Store, server: Forge, bounds: dict[str, str], verdict: Verdict
) -> None:
    put(store, result("1", outcome="failed"))
    policies = load([("x.yaml", rule_of_time(**bounds).encode())], TYPES)
    with outside(server) as beyond:
        assert decide(Gate(store=store, policies=policies, outside=beyond), asked()).verdict is verdict


def test_a_time_that_cannot_be_told_is_an_error_and_says_why(store: Store, server: Forge) -> None:
    put(store, result("1"))
    policies = load([("x.yaml", rule_of_time(valid_since="2026-03-02").encode())], TYPES)
    gate = Gate(store=store, policies=policies)
    assert decide(gate, asked()).verdict is Verdict.ERROR
    for builds, said in (
        ({}, "there is no such build"),
        ({BASH.identifier: "down"}, "getBuild: down"),
    ):
        server.builds = dict(builds)
        with outside(server) as beyond:
            made = decide(replace(gate, outside=beyond), asked())
        assert made.verdict is Verdict.ERROR
        assert f"when koji_build {BASH.identifier} was built is not known: " in str(only(made).said)
        assert said in str(only(made).said)
    server.build(BASH.identifier, creation_ts=None, creation_time=None)
    with outside(server) as beyond:
        assert "tells no time of it" in beyond.build_times([BuildTimeOf(BASH)])[1][BuildTimeOf(BASH)]
