"""What a report is about, half a report, and reading again what was quarantined."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from ci_results_errata_checks import TPS, Covscan, ItemRule, Options, Rpmdiff, Rpmgrill, Rpminspect
from ci_results_errata_checks.items import in_path

from ci_results import Garbled, InvalidError, Observation, SourceRefusedError, SourceSession

from .report_trees import Harvest, Tree, rpmgrill

Run = Callable[..., Harvest]
REPORT = (ItemRule(find="report"),)
FOLDER = (ItemRule(find="folder"),)


def subjects(found: Harvest) -> set[tuple[str, str]]:
    assert (found.error, found.garbled) == (None, [])
    return {(each.item, each.item_type) for each in found.observations}


def attributes(each: Observation) -> dict[str, object]:
    assert each.run is not None
    return {**each.run.data, **each.data}


# -- what it is about --------------------------------------------------------------------------------


@pytest.mark.demand("S-020", "S-022")
def test_a_pair_is_found_by_both_builds_in_every_part_of_its_report(tree: Tree, harvest: Run) -> None:
    scan = {"project-name": "a-2-1.el9", "diff-base-project-name": "a-1-1.el9"}
    defect = {"checker": "COMPILER_WARNING", "events": [{"file_name": "x", "line": 1, "event": "e"}]}
    tree.write("1/added.js", json.dumps({"scan": scan, "defects": [defect]}).encode())
    found = harvest(collector=Covscan())
    assert subjects(found) == {("a-2-1.el9 a-1-1.el9", "koji_build_pair")}
    assert [each.testcase for each in found.observations] == ["dist.covscan.gcc", "dist.covscan"]
    for each in found.observations:
        told = attributes(each)
        assert (told["newnvr"], told["oldnvr"]) == ("a-2-1.el9", "a-1-1.el9")


def test_a_pair_of_another_type_of_build_keeps_its_type(tree: Tree, harvest: Run) -> None:
    run = {"tool": "rpmdiff", "newnvr": "a-2-1.el9", "oldnvr": "a-1-1.el9", "tests": []}
    tree.write("1/rpmdiff.json", json.dumps(run).encode())
    found = harvest(collector=Rpmdiff(), item=(ItemRule(find="report", type="brew-build"),))
    assert subjects(found) == {("a-2-1.el9 a-1-1.el9", "brew_build_pair")}
    assert found.observations[-1].testcase == "dist.rpmdiff.comparison"


def test_the_first_rule_that_finds_something_wins(tree: Tree, harvest: Run) -> None:
    tree.write("bash-5.2-1.fc40/rpmgrill.json", rpmgrill("other-1-1.fc40"))
    assert subjects(harvest(item=REPORT + FOLDER)) == {("other-1-1.fc40", "koji_build")}
    assert subjects(harvest(item=FOLDER + REPORT)) == {("bash-5.2-1.fc40", "koji_build")}


@pytest.mark.parametrize(
    ("rule", "path", "item", "item_type"),
    [
        ({"find": "folder"}, "x/a-1-1/r.json", "a-1-1", "koji_build"),
        ({"find": "folder"}, "x/a-1-1..a-2-1/r.json", "a-2-1 a-1-1", "koji_build_pair"),
        ({"find": "folder"}, "r.json", None, None),
        (
            {"find": "file", "pattern": r"^rpmgrill-(?P<item>.+)\.json$"},
            "rpmgrill-a-1-1.json",
            "a-1-1",
            "koji_build",
        ),
        ({"find": "path", "pattern": "[^/]+-[^/]+-[^/]+"}, "y/a-1-1/z/r.json", "a-1-1", "koji_build"),
        (
            {"find": "path", "pattern": "(?P<new>[^/]+)/vs/(?P<old>[^/]+)/"},
            "b/vs/a/r",
            "b a",
            "koji_build_pair",
        ),
        (
            {"find": "path", "pattern": "(?P<n>[^/]+)/(?P<v>[^/]+)/(?P<r>[^/]+)/", "template": "{n}-{v}-{r}"},
            "a/1/2/r.json",
            "a-1-2",
            "koji_build",
        ),
        ({"find": "path", "pattern": "nothing"}, "a/r.json", None, None),
        ({"find": "path", "pattern": "(?P<item>x)?a"}, "a/r.json", None, None),
        ({"find": "folder", "type": "plain"}, "x/any/r.json", "any", "plain"),
    ],
)
def test_a_path_says_what_a_report_is_about(
    rule: dict[str, str], path: str, item: str | None, item_type: str | None
) -> None:
    found = in_path(ItemRule(**rule), path)
    assert (found and found.item, found and found.item_type) == (item, item_type)


def test_a_path_says_architecture_and_scenario(tree: Tree, harvest: Run) -> None:
    tree.write("bash-5.2-1.fc40/x86_64/minimal/rpmgrill.json")
    pattern = "^(?P<item>[^/]+)/(?P<arch>[^/]+)/(?P<scenario>[^/]+)/"
    found = harvest(item=(ItemRule(find="path", pattern=pattern),))
    assert {(each.arch, each.scenario) for each in found.observations} == {("x86_64", "minimal")}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"find": "name"}, "find = 'name' is none of report, path, folder, file"),
        ({"find": "report", "pattern": "x"}, "takes no pattern"),
        ({"find": "path", "pattern": "("}, "missing"),
        ({"find": "path", "pattern": "(?P<old>x)"}, "go together"),
        ({"find": "path", "template": "{n}"}, "needs a pattern"),
        ({"find": "path", "pattern": "(?P<n>x)", "template": "{m}"}, "no group 'm'; there are n"),
        ({"find": "path", "pattern": "(?P<n>x)", "template": "{n.__class__}"}, "no group 'n.__class__'"),
    ],
)
def test_a_rule_that_cannot_work_is_refused(fields: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidError, match=said):
        ItemRule(**fields)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "write either path"),
        ({"path": Path("x"), "url": "https://x/"}, "write either path"),
        ({"url": "/srv/reports"}, "a folder is path"),
        ({"url": "https://x/?a=b"}, "no query"),
        ({"path": Path("x"), "link": "ftp://x"}, "no http"),
        ({"path": Path("x"), "item": ()}, "find = "),
        ({"path": Path("x"), "files": ("a/*",)}, "without a slash"),
    ],
)
def test_options_that_cannot_work_are_refused(fields: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidError, match=said):
        Options(**fields)  # type: ignore[arg-type]


def test_rpminspect_compares_where_its_path_names_two_builds(tree: Tree, harvest: Run) -> None:
    body = b'{"elf": [{"result": "BAD"}]}'
    tree.write("a-1-1..a-2-1/rpminspect.json", body)
    tree.write("a-2-1/rpminspect.json", body)
    found = harvest(collector=Rpminspect(), item=FOLDER)
    assert {each.testcase for each in found.observations if each.item_type == "koji_build_pair"} == {
        "dist.rpminspect.comparison",
        "dist.rpminspect.comparison.elf",
    }
    assert subjects(found) == {("a-2-1 a-1-1", "koji_build_pair"), ("a-2-1", "koji_build")}


def jobs(*items: str | None, **run: str) -> bytes:
    told = [
        {
            "id": str(n),
            "arch": "x86_64",
            "stream": f"s{n}",
            "state": "good",
            **({"item": item} if item else {}),
        }
        for n, item in enumerate(items)
    ]
    return json.dumps({"tool": "tps", **run, "jobs": told}).encode()


@pytest.mark.demand("S-023", "S-024")
@pytest.mark.parametrize(
    ("body", "whole"),
    [
        (jobs("a-1-1", "a-1-1"), ("a-1-1", "koji_build")),
        (jobs("a-1-1", "b-1-1", "c-1-1"), ("1/tps.json", "ci_build")),
        (jobs("a-1-1", advisory="RHBA-2026:1234"), ("RHBA-2026:1234", "redhat-advisory")),
        (jobs(None, advisory="RHBA-2026:1234"), ("RHBA-2026:1234", "redhat-advisory")),
    ],
)
def test_a_run_of_tps_is_about_what_its_jobs_are_about(
    tree: Tree, harvest: Run, body: bytes, whole: tuple[str, str]
) -> None:
    tree.write("1/tps.json", body)
    found = harvest(collector=TPS())
    *children, run = found.observations
    assert ((run.item, run.item_type), run.parent) == (whole, None)
    assert {each.parent for each in children} == {"overall"}
    assert {each.item_type for each in children} <= {"koji_build", "redhat-advisory"}
    assert len({(each.arch, each.scenario) for each in children}) == len(children)


def test_a_job_without_a_build_is_not_taken_for_its_neighbours(tree: Tree, harvest: Run) -> None:
    tree.write("1/tps.json", jobs("a-1-1", None))
    (reason,) = harvest(collector=TPS()).reasons
    assert "some of its parts name a build, some do not" in reason


def test_a_report_without_an_item_is_quarantined_with_what_was_missed(tree: Tree, harvest: Run) -> None:
    tree.write("x/scan-results.js", b'{"scan": {"project-name": "papi"}, "defects": []}')
    rules = (*REPORT, ItemRule(find="path", pattern="^builds/"))
    (garbled,) = harvest(collector=Covscan(), item=rules).garbled
    assert garbled.reason == (
        "no rule finds an item: report: it says 'papi', which is no name-version-release;"
        " path ~ ^builds/: not in 'x/scan-results.js'; mend `item`, then: ci-results quarantine retry"
    )
    assert (garbled.key, garbled.position) == ("x/scan-results.js", "whole file")


# -- which file, and when ----------------------------------------------------------------------------


def test_of_one_folder_one_form_of_a_report_is_read(tree: Tree, harvest: Run) -> None:
    package = b"<package name='a' version='1' release='1'/><test name='A' order='1' status='completed'/>"
    xml = b"<results tool='rpmgrill'>" + package + b"</results>"
    for name in ("rpmgrill.json", "rpmgrill.xml", "rpmgrill.yaml"):
        tree.write(f"a/{name}", rpmgrill() if name.endswith("json") else xml)
    tree.write("b/rpmgrill.xml", xml)
    assert harvest().files == ["a/rpmgrill.json", "b/rpmgrill.xml"]


def test_other_files_may_be_named(tree: Tree, harvest: Run) -> None:
    tree.write("a/grill-1.txt")
    tree.write("a/grill-2.txt", rpmgrill("zsh-5-1.fc40"))
    assert harvest().files == []
    assert harvest(files=("grill-*.txt",)).files == ["a/grill-1.txt", "a/grill-2.txt"]


def test_where_the_report_tells_no_time_the_file_does(tree: Tree, harvest: Run) -> None:
    tree.write("a/rpmgrill.json", at=1_767_225_600.7)
    told = rpmgrill("zsh-5-1.fc40").replace(b'"tool"', b'"timestamp": 1700000000, "tool"')
    tree.write("b/rpmgrill.json", told)
    times = {each.run.key[0]: each.time for each in harvest().observations if each.run and each.time}
    assert {name: each.timestamp() for name, each in times.items()} == {
        "a": 1_767_225_600,
        "b": 1_700_000_000,
    }


def test_half_a_report_waits_for_its_other_half(tree: Tree, harvest: Run) -> None:
    whole = rpmgrill("bash-5.2-1.fc40", "BadRpath")
    tree.write("a/rpmgrill.json", whole[:-10], at=None)
    tree.write("b/rpmgrill.json", b"", at=None)
    tree.write("c/rpmgrill.json", rpmgrill("zsh-5-1.fc40"), at=None)
    first = harvest()
    assert (first.files, first.garbled) == (["c/rpmgrill.json"], [])
    tree.write("a/rpmgrill.json", whole, at=None)
    second = harvest(first.cursor)
    assert (second.files, second.garbled) == (["a/rpmgrill.json"], [])


def test_half_a_report_that_stays_half_is_told(tree: Tree, harvest: Run) -> None:
    file = tree.write("a/rpmgrill.json", rpmgrill()[:-1], at=time.time() - 60)
    first = harvest()
    assert first.seen[:-1] == []
    second = harvest(first.cursor, settle_s=30)
    assert len(second.garbled) == 1
    assert second.observations[-1].outcome == "damaged"
    assert harvest(second.cursor, settle_s=30).seen[:-1] == []
    tree.write("a/rpmgrill.json", rpmgrill())
    assert harvest(second.cursor).observations[-1].outcome == "passed"
    assert file.exists()


def test_a_report_from_the_future_is_told_all_the_same(tree: Tree, harvest: Run) -> None:
    tree.write("a/rpmgrill.json", b"nonsense", at=time.time() + 1e8)
    assert len(harvest().garbled) == 1


# -- reading again -----------------------------------------------------------------------------------


def test_a_record_is_read_again_from_its_file(tree: Tree, harvest: Run) -> None:
    tree.write("a/rpmgrill.json", b"nonsense")
    (garbled,) = harvest().garbled
    tree.write("a/rpmgrill.json")
    again = list(Rpmgrill().reread(Options(path=tree.root), garbled, SourceSession()))
    assert [each.testcase for each in again if isinstance(each, Observation)] == [
        "dist.rpmgrill.elf-checks",
        "dist.rpmgrill",
    ]


def test_a_record_whose_file_is_gone_is_read_from_what_was_kept_of_it(tree: Tree, harvest: Run) -> None:
    file = tree.write("bash-5.2-1.fc40/rpminspect.json", b'{"elf": [{"result": "OK"}]}')
    (garbled,) = harvest(collector=Rpminspect()).garbled
    file.unlink()
    mended = Options(path=tree.root, item=FOLDER)
    (one, whole) = Rpminspect().reread(mended, garbled, SourceSession())
    assert isinstance(whole, Observation)
    assert (whole.item, whole.run and whole.run.key) == ("bash-5.2-1.fc40", "bash-5.2-1.fc40/rpminspect.json")
    assert isinstance(one, Observation)
    part = Garbled(raw=garbled.raw, reason="x", key=garbled.key, position="line 3")
    with pytest.raises(SourceRefusedError, match="No such file"):
        Rpminspect().reread(mended, part, SourceSession())


def test_a_folder_is_not_read_as_a_record(tree: Tree) -> None:
    record = Garbled(raw=b"", reason="x", key="a/")
    with pytest.raises(Exception, match="a/: no report; the next harvest reads the folder again"):
        Rpmgrill().reread(Options(path=tree.root), record, SourceSession())


def test_a_strange_cursor_is_refused(harvest: Run) -> None:
    for cursor in ("", "2:", "1:x", "1:AAAA", '{"a": 1}'):
        assert "the cursor is none of this collector" in str(harvest(cursor).error)


def test_check_tells_what_a_harvest_would_meet(tree: Tree) -> None:
    tree.write("a/rpmgrill.json")
    tree.write("b/rpmgrill.json", b"nonsense")
    (tree.root / "c").symlink_to("a")
    assert list(Rpmgrill().check(Options(path=tree.root), SourceSession())) == [
        f"{tree.root}: 2 of rpmgrill.json, rpmgrill.xml, rpmgrill.yaml, in 3 folders",
        "not followed, for they lead elsewhere: 1 link",
        "b/rpmgrill.json; to the quarantine: no rule finds an item: report: it cannot be read: no format"
        " recognises it; asked were rpmgrill_xml, rpmgrill, rpmgrill_yaml; mend `item`, then: ci-results"
        " quarantine retry",
        "a/rpmgrill.json: 2 results for bash-5.2-1.fc40 (koji_build)",
    ]
