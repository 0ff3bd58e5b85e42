"""Reports that the tools write here and now are read: what they say is what the tools said."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import environments
import pytest

from ci_results.domain.observation import Observation
from ci_results.domain.outcome import Outcome

from .reading import FORMATS, children, garbled, ours, read, whole

pytestmark = pytest.mark.timeout(120)


def run(folder: Path, *command: str, code: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run a tool in a folder; `code` is the exit code that it must have."""
    beside = os.path.join(os.path.dirname(sys.executable), command[0])
    own = environments.tool(command[0])
    there = own or (beside if os.access(beside, os.X_OK) else shutil.which(command[0]))
    program = str(there or command[0])
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"HOME": str(folder), "PATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [program, *command[1:]], cwd=folder, env=environment, capture_output=True, text=True, timeout=100
    )
    assert code is None or done.returncode == code, done.stdout + done.stderr
    return done


def outcomes(name: str, report: bytes | str) -> dict[str, str]:
    """Read a report by the one format that recognises it; give the outcome of each testcase's last part."""
    data = report.encode() if isinstance(report, str) else report
    assert [each for each, reader in FORMATS.items() if reader.recognises(data[:65536])] == [name]
    seen = read(name, data, prefix="genuine")
    assert garbled(seen) == []
    told = [*children(seen), whole(seen)]
    return {each.testcase.removeprefix("genuine."): ours(name, each.outcome) for each in told}


@pytest.mark.demand("S-130")
def test_pytest_writes_junit_xml(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import pytest\ndef test_ok(): pass\ndef test_bad(): assert 0\n"
        "@pytest.mark.skip\ndef test_later(): pass\n"
    )
    command = (
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--junitxml=out.xml",
        "test_it.py",
    )
    run(tmp_path, *command, code=1)
    assert outcomes("junit", (tmp_path / "out.xml").read_bytes()) == {
        "test_it.test_ok": "PASSED",
        "test_it.test_bad": "FAILED",
        "test_it.test_later": "INFO",
        "junit": "FAILED",
    }


PERL = {
    "passes": (
        'use Test::More tests => 2; ok 1, "one"; subtest two => sub { ok 1, "in"; done_testing };',
        True,
    ),
    "fails": ('use Test::More tests => 2; ok 1, "one"; ok 0, "two # not todo";', False),
    "dies": ('use Test::More tests => 3; ok 1, "one"; die "at once";', False),
    "skips": ('use Test::More skip_all => "not here";', True),
    "todo": ('use Test::More tests => 2; ok 1; TODO: { local $TODO = "later"; ok 0, "soon" }', True),
    "bails": ('use Test::More tests => 3; ok 1, "one"; BAIL_OUT("no disk");', False),
    "no plan": ('use Test::More; ok 1, "one";', False),
}


@pytest.mark.demand("S-128", "S-130")
@pytest.mark.needs("prove")
@pytest.mark.parametrize("case", PERL)
def test_test_more_writes_tap_that_we_judge_as_prove_does(tmp_path: Path, case: str) -> None:
    script, passes = PERL[case]
    (tmp_path / "it.t").write_text(script)
    assert (run(tmp_path, "prove", "it.t").returncode == 0) is passes
    tap = run(tmp_path, "perl", "it.t").stdout
    assert FORMATS["tap"].recognises(tap.encode())
    verdict = ours("tap", whole(read("tap", tap)).outcome)
    assert (verdict in {Outcome.PASSED, Outcome.INFO}) is passes


@pytest.mark.demand("S-128", "S-130")
@pytest.mark.needs("node")
def test_node_writes_tap_with_subtests(tmp_path: Path) -> None:
    (tmp_path / "it.test.mjs").write_text(
        "import test from 'node:test'; import assert from 'node:assert';\n"
        "test('outer', async (t) => {\n"
        "  await t.test('inner', () => {}); await t.test('bad', () => assert.equal(1, 2)); });\n"
        "test('later', { skip: 'why' }, () => {});\n"
        "test('soon', { todo: true }, () => { throw new Error('x'); });\n"
    )
    tap = run(tmp_path, "node", "--test-reporter=tap", "it.test.mjs", code=1).stdout
    told = outcomes("tap", tap)
    assert told.pop("tap") == "FAILED"
    assert {name: told[name] for name in ("outer", "outer.inner", "outer.bad", "later", "soon")} == {
        "outer": "FAILED",
        "outer.inner": "PASSED",
        "outer.bad": "FAILED",
        "later": "INFO",
        "soon": "INFO",
    }


@pytest.mark.demand("S-130")
@pytest.mark.needs("node")
def test_node_writes_junit_xml(tmp_path: Path) -> None:
    (tmp_path / "it.test.mjs").write_text(
        "import { describe, it } from 'node:test'; import assert from 'node:assert';\n"
        "describe('sums', () => {\n"
        "  it('adds', () => {}); it('breaks', () => assert.equal(1, 2));\n"
        "  it('comes later', { skip: 'why' }, () => {});\n"
        "  it('is known', { todo: true }, () => assert.equal(1, 2)); });\n"
        "it('alone', () => {});\n"
    )
    xml = run(tmp_path, "node", "--test", "--test-reporter=junit", "it.test.mjs", code=1).stdout
    assert outcomes("junit", xml) == {
        "sums.test.adds": "PASSED",
        "sums.test.breaks": "FAILED",
        "sums.test.comes later": "INFO",
        "sums.test.is known": "INFO",
        "test.alone": "PASSED",
        "junit": "FAILED",
    }


@pytest.mark.demand("S-130")
@pytest.mark.needs("mocha")
def test_mocha_writes_json(tmp_path: Path) -> None:
    (tmp_path / "it.js").write_text(
        "const assert = require('assert');\n"
        "describe('sums', () => {\n"
        "  it('adds', () => {}); it('breaks', () => assert.equal(1, 2)); it('comes later');\n"
        "  let tries = 0; it('wavers', function () { this.retries(1); assert.equal(tries++, 1); });\n"
        "  describe('deep', () => {\n"
        "    before(() => { throw new Error('no disk'); }); it('never', () => {}); });\n"
        "});\n"
    )
    printed = run(tmp_path, "mocha", "--reporter", "json", "it.js", code=2).stdout
    assert outcomes("mocha", printed) == {
        "sums.adds": "PASSED",
        "sums.breaks": "FAILED",
        "sums.comes later": "INFO",
        "sums.wavers": "PASSED",
        'sums deep."before all" hook for "never"': "FAILED",
        "mocha": "FAILED",
    }


CTEST = """cmake_minimum_required(VERSION 3.10)
project(it NONE)
include(CTest)
add_test(NAME good COMMAND sh -c "echo fine")
add_test(NAME bad COMMAND sh -c "echo broken; exit 3")
add_test(NAME later COMMAND sh -c "exit 77")
set_tests_properties(later PROPERTIES SKIP_RETURN_CODE 77)
add_test(NAME off COMMAND true)
set_tests_properties(off PROPERTIES DISABLED TRUE)
add_test(NAME gone COMMAND /nowhere/at/all)
add_test(NAME known COMMAND false)
set_tests_properties(known PROPERTIES WILL_FAIL TRUE)
"""
CTEST_SAYS = {
    "good": "PASSED",
    "bad": "FAILED",
    "later": "INFO",
    "off": "INFO",
    "gone": "ERROR",
    "known": "PASSED",
}


@pytest.mark.demand("S-130")
@pytest.mark.needs("ctest")
def test_ctest_writes_its_own_xml_and_junit(tmp_path: Path) -> None:
    (tmp_path / "CMakeLists.txt").write_text(CTEST)
    run(tmp_path, "cmake", "-S", ".", "-B", "b", code=0)
    run(tmp_path / "b", "ctest", "-M", "Experimental", "-T", "Test", "--output-junit", "junit.xml")
    (report,) = (tmp_path / "b" / "Testing").glob("*/Test.xml")
    assert outcomes("ctest", report.read_bytes()) == {**CTEST_SAYS, "ctest": "FAILED"}
    seen = read("ctest", report.read_bytes())
    assert [each.note for each in children(seen) if each.testcase.endswith(".bad")] == ["Failed\nbroken"]
    told = outcomes("junit", (tmp_path / "b" / "junit.xml").read_bytes())
    assert {name.rpartition(".")[2]: outcome for name, outcome in told.items()} == {
        **CTEST_SAYS,
        "junit": "FAILED",
    }


@pytest.mark.demand("S-130")
@pytest.mark.needs("robot")
def test_robot_framework_writes_its_output(tmp_path: Path) -> None:
    (tmp_path / "it.robot").write_text(
        "*** Test Cases ***\nOpens\n    Log    hello\nBreaks\n    [Tags]    slow\n    Fail    it broke\n"
        "Later\n    Skip    not here\n"
    )
    run(tmp_path, "robot", "--report", "NONE", "--log", "NONE", "it.robot", code=1)
    seen = read("robot", (tmp_path / "output.xml").read_bytes())
    assert [(each.testcase, each.outcome, each.note) for each in children(seen)] == [
        ("baseos.tier1.It.Opens", "pass", None),
        ("baseos.tier1.It.Breaks", "fail", "it broke"),
        ("baseos.tier1.It.Later", "skip", "not here"),
    ]
    assert outcomes("robot", (tmp_path / "output.xml").read_bytes())["robot"] == "FAILED"


@pytest.mark.demand("S-130")
@pytest.mark.needs("robot")
def test_robot_framework_says_the_same_in_json(tmp_path: Path) -> None:
    (tmp_path / "suite" / "inner").mkdir(parents=True)
    (tmp_path / "suite" / "it.robot").write_text(
        "*** Test Cases ***\nOpens\n    Log    hello\nBreaks\n    [Tags]    slow\n    Fail    it broke\n"
    )
    (tmp_path / "suite" / "inner" / "deep.robot").write_text(
        "*** Test Cases ***\nLater\n    Skip    not here\nOpens\n    No Operation\n"
    )
    for name in ("output.json", "output.xml"):
        run(tmp_path, "robot", "--report", "NONE", "--log", "NONE", "--output", name, "suite", code=1)
    told = {
        form: read(form, (tmp_path / name).read_bytes())
        for form, name in (("robot_json", "output.json"), ("robot", "output.xml"))
    }
    said = {
        form: [(each.testcase, each.outcome, each.note, dict(each.data)) for each in children(seen)]
        for form, seen in told.items()
    }
    assert len(said["robot"]) == 4
    assert said["robot_json"] == said["robot"]
    assert whole(told["robot_json"]).testcase == whole(told["robot"]).testcase
    assert outcomes("robot_json", (tmp_path / "output.json").read_bytes())["robot"] == "FAILED"


@pytest.mark.demand("S-130")
@pytest.mark.needs("ruff")
def test_ruff_writes_sarif(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("import os\n\nx = undefined\n")
    (tmp_path / "good.py").write_text("x = 1\n")
    command = ("ruff", "check", "--isolated", "--no-cache", "--select", "F", "--output-format", "sarif")
    told = outcomes("sarif", run(tmp_path, *command, "bad.py", code=1).stdout)
    assert told.pop("sarif") == "FAILED"
    assert set(told) == {"sarif.ruff.F401", "sarif.ruff.F821"}
    clean = run(tmp_path, *command, "good.py", code=0).stdout
    assert outcomes("sarif", clean) == {"sarif": "PASSED"}


@pytest.mark.demand("S-130")
@pytest.mark.needs("avocado")
def test_avocado_writes_its_results(tmp_path: Path) -> None:
    (tmp_path / "it.py").write_text(
        "from avocado import Test\nclass It(Test):\n"
        "    def test_ok(self): pass\n    def test_bad(self): self.fail('bad')\n"
        "    def test_not_here(self): self.cancel('no')\n"
    )
    run(tmp_path, "avocado", "run", "--job-results-dir", str(tmp_path / "out"), "--disable-sysinfo", "it.py")
    (report,) = (tmp_path / "out").glob("job-*/results.json")
    assert outcomes("avocado", report.read_bytes()) == {
        "it.py:It.test_ok": "PASSED",
        "it.py:It.test_bad": "FAILED",
        "it.py:It.test_not_here": "INFO",
        "avocado": "FAILED",
    }
    tap = next((tmp_path / "out").glob("job-*/results.tap")).read_bytes()
    assert outcomes("tap", tap)["tap"] == "FAILED"


@pytest.mark.demand("S-130")
@pytest.mark.needs("tmt")
def test_tmt_writes_its_results(tmp_path: Path) -> None:
    tree, out = tmp_path / "tree", tmp_path / "out"
    tree.mkdir()
    run(tree, "tmt", "init")
    (tree / "it.fmf").write_text(
        "/plan:\n    discover: {how: fmf}\n    provision: {how: local}\n    execute: {how: tmt}\n"
        "/good:\n    test: 'true'\n/bad:\n    test: 'false'\n"
    )
    run(tree, "tmt", "--feeling-safe", "run", "--id", str(out), "--all")
    (report,) = out.glob("**/execute/results.yaml")
    assert outcomes("tmt", report.read_bytes()) == {
        "it/good": "PASSED",
        "it/bad": "FAILED",
        "tmt": "FAILED",
    }


@pytest.mark.demand("S-130")
@pytest.mark.needs("rpmlint")
def test_rpmlint_prints_its_findings(tmp_path: Path) -> None:
    (tmp_path / "demo.spec").write_text(
        "Name: demo\nVersion: 1.0\nRelease: 1\nSummary: A demo.\nLicense: Nonsense\n\n%description\nA demo.\n"
    )
    printed = run(tmp_path, "rpmlint", "demo.spec").stdout
    told = outcomes("rpmlint", printed)
    assert told["rpmlint"] in {"FAILED", "INFO"}
    seen = whole(read("rpmlint", printed))
    assert isinstance(seen, Observation)
    assert seen.data["specfiles"] == "1"
    assert len(told) > 1


BAD_C = (
    "#include <stdlib.h>\nint main(int argc, char **argv) {\n  char *p = malloc(4);\n"
    "  if (argc > 5) { free(p); free(p); }\n  p[4] = 1;\n  return 0;\n}\n"
)


@pytest.mark.demand("S-130")
@pytest.mark.needs("cppcheck")
def test_cppcheck_writes_xml(tmp_path: Path) -> None:
    (tmp_path / "bad.c").write_text(BAD_C)
    (tmp_path / "good.c").write_text("int main(void) { return 0; }\n")
    told = outcomes("cppcheck", run(tmp_path, "cppcheck", "--xml", "bad.c", code=0).stderr)
    assert told["cppcheck"] == "FAILED"
    assert told["cppcheck.doubleFree"] == "FAILED"
    clean = run(tmp_path, "cppcheck", "--xml", "good.c", code=0).stderr
    assert outcomes("cppcheck", clean) == {"cppcheck": "PASSED"}


@pytest.mark.demand("S-130")
@pytest.mark.needs("gcc")
def test_gcc_writes_json(tmp_path: Path) -> None:
    (tmp_path / "bad.c").write_text("int main(void) { int unused; return missing; }\n")
    command = ("gcc", "-Wall", "-fsyntax-only", "-fdiagnostics-format=json", "bad.c")
    printed = run(tmp_path, *command, code=1).stderr
    told = outcomes("gcc_json", printed)
    assert told == {"gcc.error": "FAILED", "gcc.Wunused-variable": "NEEDS_INSPECTION", "gcc": "FAILED"}


@pytest.mark.demand("S-130")
@pytest.mark.needs("valgrind")
def test_valgrind_writes_xml(tmp_path: Path) -> None:
    (tmp_path / "bad.c").write_text(BAD_C)
    run(tmp_path, "gcc", "-g", "-O0", "-w", "-o", "bad", "bad.c", code=0)
    run(tmp_path, "valgrind", "--leak-check=full", "--xml=yes", "--xml-file=bad.xml", "./bad", code=0)
    told = outcomes("valgrind", (tmp_path / "bad.xml").read_bytes())
    assert told == {
        "valgrind.InvalidWrite": "FAILED",
        "valgrind.Leak_DefinitelyLost": "FAILED",
        "valgrind": "FAILED",
    }
    run(tmp_path, "valgrind", "--xml=yes", "--xml-file=good.xml", "true", code=0)
    assert outcomes("valgrind", (tmp_path / "good.xml").read_bytes()) == {"valgrind": "PASSED"}
