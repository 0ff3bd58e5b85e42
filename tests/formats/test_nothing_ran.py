"""In no format does a report in which nothing was executed pass, nor one that could not be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci_results.domain.observation import Observation
from ci_results.domain.outcome import Outcome
from ci_results.normalise.normaliser import Normaliser

from .reading import FORMATS, ours, read, whole

EMPTY: list[tuple[str, str]] = [
    ("junit", "<testsuites/>"),
    ("junit", "<testsuite tests='0'/>"),
    ("junit", "<testsuite><testcase name='a'><skipped/></testcase></testsuite>"),
    ("allure", '{"uuid":"u","name":"t","status":""}'),
    ("allure", '{"uuid":"u","name":"t","status":"unknown"}'),
    ("coverity", '{"type":"Coverity issues"}'),
    ("csdiff", '{"scan":{"tool":"csmock"}}'),
    ("csdiff", '{"scan":{"exit-code":1},"defects":[]}'),
    ("csdiff_text", "# nothing"),
    ("ctrf", '{"results":{"tool":{"name":"x"},"tests":[]}}'),
    ("ctrf", '{"results":{"tests":[{"name":"a","status":"skipped"},{"name":"b","status":"pending"}]}}'),
    ("ctrf", '{"results":{"summary":{"tests":0}}}'),
    ("resultsdb_message", '{"testcase":{"name":"dist.covscan"},"outcome":"","data":{}}'),
    ("rpmdiff", '{"tool":"rpmdiff","tests":[]}'),
    ("rpmdiff", '{"tool":"rpmdiff","overall":"Passed","tests":[]}'),
    ("rpmdiff", '{"tool":"rpmdiff","overall":"Failed","tests":[{"name":"a","outcome":"Passed"}]}'),
    ("rpmdiff_text", "\n"),
    ("rpmgrill", '{"results":{"tool":"rpmgrill"},"tests":[]}'),
    ("rpmgrill", '{"tests":[{"module":"A","status":"NOTRUN","results":[]}]}'),
    ("rpmgrill", '{"tests":[{"module":"A","status":"failed","results":[]}]}'),
    ("rpmgrill_xml", "<results tool='rpmgrill'/>"),
    ("rpmgrill_yaml", "results:\n  tool: rpmgrill\ntests: []\n"),
    ("rpminspect", '{"diagnostics":[{"result":"DIAGNOSTICS"}]}'),
    ("rpminspect", '{"abidiff":[{"result":"SKIP"}],"kmidiff":[{"result":"SKIP"}]}'),
    ("rpminspect_text", "abidiff:\n--------\n\nResult: SKIP\n"),
    ("rpmlint", " 0 packages and 0 specfiles checked; 0 errors, 0 warnings."),
    ("rpmlint", "a.x86_64: W: no-documentation\n"),
    ("tps", '{"tool":"tps","jobs":[]}'),
    ("tps", '{"tool":"tps","jobs":[{"id":"1","arch":"x","stream":"s","state":"waived"}]}'),
    ("tps", '{"tool":"tps","jobs":[{"id":"1","arch":"x","stream":"s","state":"invalidated"}]}'),
    ("avocado", '{"job_id":"1","debuglog":"x","errors":0,"total":0,"tests":[]}'),
    ("avocado", '{"total":2,"tests":[{"name":"a","status":"PASS"}]}'),
    ("avocado", '{"tests":[{"name":"a","status":"CANCEL"}]}'),
    ("beaker", "<job result='Pass' status='Completed'><recipeSet/></job>"),
    ("beaker", "<job><recipeSet><recipe><task name='/a' result='Skip'/></recipe></recipeSet></job>"),
    ("go_test", '{"Action":"start","Package":"x"}'),
    ("go_test", '{"Action":"skip","Package":"x","Test":"T"}'),
    ("go_test", '{"Action":"run","Package":"x","Test":"T"}'),
    ("go_test", '{"Action":"pass","Package":"x"}'),
    ("gtest", '{"tests":0,"disabled":0,"testsuites":[]}'),
    ("gtest", '{"tests":1,"testsuites":[{"testsuite":[{"name":"a"}]}]}'),
    ("gtest", '{"tests":2,"testsuites":[{"testsuite":[{"name":"a","result":"COMPLETED"}]}]}'),
    ("gtest", '{"testsuites":[{"testsuite":[{"name":"a","status":"NOTRUN","result":"SUPPRESSED"}]}]}'),
    ("ctest", "<Site><Testing><TestList/></Testing></Site>"),
    ("ctest", "<Site><Testing><TestList><Test>./a</Test></TestList></Testing></Site>"),
    ("ctest", "<Site><Testing><Test Status='notrun'><Name>a</Name></Test></Testing></Site>"),
    ("ctest", "<Site><Testing><Test><Name>a</Name></Test></Testing></Site>"),
    ("allure_xml", "<test-suite><name>a</name><test-cases/></test-suite>"),
    ("allure_xml", "<test-suite><test-cases><test-case status='canceled'/></test-cases></test-suite>"),
    ("allure_xml", "<test-suite><test-cases><test-case status='pending'/></test-cases></test-suite>"),
    ("mocha", '{"stats":{"suites":0,"tests":0,"passes":0,"pending":0,"failures":0},"tests":[]}'),
    ("mocha", '{"stats":{"suites":1,"passes":0,"failures":0},"pending":[{"title":"a"}]}'),
    ("mocha", '{"stats":{"suites":1,"passes":2,"failures":0},"passes":[{"title":"a"}]}'),
    ("mocha", '{"stats":{"suites":1,"passes":1,"failures":0},"tests":[{"title":"a"}]}'),
    ("openqa_details", '{"result":"ok","details":[]}'),
    ("openqa_details", '[{"result":"unk","screenshot":"a.png"}]'),
    ("openqa_details", '{"result":"fail","details":[{"result":"ok","screenshot":"a.png"}]}'),
    ("robot_json", '{"generator":"Robot","suite":{"name":"S","status":"PASS"}}'),
    ("robot_json", '{"suite":{"tests":[{"name":"a","status":"SKIP"}],"status":"PASS"}}'),
    ("robot_json", '{"suite":{"tests":[{"name":"a","status":"PASS"}]},"statistics":{"total":{"pass":2}}}'),
    ("cppcheck", "<results version='2'><cppcheck version='2.10'/></results>"),
    ("valgrind", "<valgrindoutput><tool>memcheck</tool></valgrindoutput>"),
    ("valgrind", "<valgrindoutput><status><state>RUNNING</state></status></valgrindoutput>"),
    ("gcc_json", "[]"),
    ("fedora_wiki", "{|\n|}"),
    ("fedora_wiki", "{|\n| [[QA:Testcase_a]]\n| {{result|none}}\n|}"),
    ("ltp", '{"results":[]}'),
    ("ltp", '{"results":[{"test_fqn":"LTP:a:b","test":{"result":"TCONF"}}]}'),
    ("unit_xml", "<TestLog/>"),
    ("unit_xml", "<TestLog><TestSuite name='s' skipped='yes'/></TestLog>"),
    ("unit_xml", "<TestLog><TestCase name='a' skipped='yes'/></TestLog>"),
    ("unit_xml", "<TestRun><SuccessfulTests/></TestRun>"),
    ("unit_xml", "<TestCase name='a'><TestFunction name='f'/></TestCase>"),
    (
        "unit_xml",
        "<TestCase name='a'><TestFunction name='f'><Message type='skip'/></TestFunction></TestCase>",
    ),
    ("unit_xml", "<TestResults><TestListing/></TestResults>"),
    ("unit_xml", "<testsuites><suite><title>s</title></suite></testsuites>"),
    ("kiwi", "[]"),
    ("kiwi", '[{"case__summary":"a","status__name":"WAIVED"}]'),
    ("manual_csv", "testcase,outcome\n"),
    ("manual_csv", "testcase,outcome\na,skipped\n"),
    ("nitrate", "<testcaseruns/>"),
    ("nitrate", "<testcaseruns><testcaserun summary='a' status='WAIVED'/></testcaseruns>"),
    ("openqa", '{"job":{"state":"done","result":"none","settings":{}}}'),
    ("openqa", '{"job":{}}'),
    ("tmt", "[]"),
    ("tmt", "- name: /a\n  result: skip\n"),
    ("tmt", "- name: /a\n  result: pending\n"),
    ("nunit", "<test-run total='0'/>"),
    (
        "nunit",
        "<test-run><test-case result='Skipped'/><test-case result='Inconclusive'/></test-run>",
    ),
    ("nunit", "<test-results><test-case name='a' executed='False'/></test-results>"),
    ("robot", "<robot><suite name='S'><status status='PASS'/></suite></robot>"),
    ("robot", "<robot><suite name='S'><test name='t'><status status='SKIP'/></test></suite></robot>"),
    ("trx", "<TestRun><Results/><ResultSummary outcome='Completed'/></TestRun>"),
    ("trx", "<TestRun><Results><UnitTestResult testName='a' outcome='NotExecuted'/></Results></TestRun>"),
    ("xunit_net", "<assemblies/>"),
    ("xunit_net", "<assemblies><assembly total='0' passed='0'/></assemblies>"),
    ("xunit_net", "<assembly><collection><test name='a' result='Skip'/></collection></assembly>"),
    ("sarif", '{"version":"2.1.0","runs":[]}'),
    ("sarif", '{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}}}]}'),
    ("sarif", '{"version":"2.1.0","runs":[{"results":null}]}'),
    ("sarif", '{"version":"2.1.0","runs":[{"results":[],"invocations":[{"executionSuccessful":false}]}]}'),
    ("tap", "TAP version 14"),
    ("tap", "1..0"),
    ("tap", "1..1\nok 1 # SKIP"),
    ("tap", "1..1\n    ok 1\n"),
    ("tap", "1..2\nok 1"),
    ("tap", "ok 1"),
    ("tap", "Bail out!"),
]
"""Reports that hold nothing that was executed, or less than they say."""
NEVER_READ = [
    b"",
    b" \n",
    b"\0" * 64,
    b"\xff\xfe",
    b"{",
    b"[]",
    b"{}",
    b"null",
    b"<a/>",
    b"<!DOCTYPE a>",
    b"---",
]


@pytest.mark.demand("S-058")
@pytest.mark.parametrize(("name", "report"), EMPTY)
def test_a_report_in_which_nothing_ran_has_not_passed(name: str, report: str) -> None:
    final = whole(read(name, report))
    assert ours(name, final.outcome) in {Outcome.NEEDS_INSPECTION, Outcome.ERROR, Outcome.FAILED}


def test_every_format_is_asked_what_it_says_of_nothing() -> None:
    assert {name for name, _ in EMPTY} == set(FORMATS)


@pytest.mark.parametrize("data", NEVER_READ, ids=repr)
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_what_is_no_report_at_all_has_not_passed(name: str, data: bytes) -> None:
    final = whole(read(name, data))
    assert ours(name, final.outcome) in {Outcome.NEEDS_INSPECTION, Outcome.ERROR, Outcome.FAILED}
    assert Normaliser("s", FORMATS[name].outcomes)(final).outcome != Outcome.PASSED


def test_no_word_means_two_things() -> None:
    """A quarantined observation is retried with the words of all formats together."""
    meanings: dict[str, dict[str, list[str]]] = {}
    for name, each in FORMATS.items():
        for word, outcome in each.outcomes.items():
            meanings.setdefault(word, {}).setdefault(outcome, []).append(name)
    assert {word: said for word, said in meanings.items() if len(said) > 1} == {}


SAMPLES = sorted(
    path
    for folder in (Path(__file__).parent / "samples").iterdir()
    if folder.is_dir() and folder.name not in ("junit-nasty", "junit-foreign")
    for path in folder.iterdir()
    if not path.name.endswith(".golden.json")
)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_sample_is_recognised_by_its_own_format_and_no_other(path: Path) -> None:
    head = path.read_bytes()[:65536]
    assert [name for name, each in FORMATS.items() if each.recognises(head)] == [path.parent.name]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_reader_breaks_on_the_report_of_another(path: Path) -> None:
    data = path.read_bytes()[:8_000]
    for name in FORMATS:
        if name == path.parent.name:
            continue
        seen = read(name, data)
        last = seen[-1]
        assert isinstance(last, Observation)
        assert ours(name, last.outcome) != Outcome.PASSED
