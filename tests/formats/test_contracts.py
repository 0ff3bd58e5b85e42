"""Every built-in format held to every rule of a format, on samples of the tools that write it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from ci_results.domain.observation import Observation
from ci_results.plugin import builtin
from ci_results.testing import FormatContract

from .reading import FORMATS, ours

SAMPLES = Path(__file__).parent / "samples"
LONG = b"said at length, so that a megabyte is not too many of them; " * 4


class BuiltIn(FormatContract):
    """What our own formats share: where their samples lie, and what a cut report must not say."""

    plugin = builtin

    def _complete(self, data: bytes) -> bool:
        """A report of lines may be cut without a trace in its bytes; but then it has not passed."""
        *_, last = self.format.read(io.BytesIO(data), self.about)
        return isinstance(last, Observation) and ours(self.format.name, last.outcome) != "PASSED"


class TestAllure(BuiltIn):
    format = FORMATS["allure"]
    samples = SAMPLES / "allure"
    one_result = True
    big = b'{"uuid":"u","name":"n","status":"passed",', b'"field %d":{"a":["' + LONG + b'"]},', b'"z":1}'


class TestCoverity(BuiltIn):
    format = FORMATS["coverity"]
    samples = SAMPLES / "coverity"
    sums_up = True
    big = (
        b'{"type":"Coverity issues","issues":[',
        b'{"checkerName":"C%d","x":"' + LONG + b'"},',
        b'{"checkerName":"Z"}]}',
    )


class TestCppcheck(BuiltIn):
    format = FORMATS["cppcheck"]
    samples = SAMPLES / "cppcheck"
    sums_up = True
    big = (
        b"<results version='2'><cppcheck version='2'/><errors>",
        b"<error id='check%d' severity='style' msg='" + LONG + b"'/>",
        b"</errors></results>",
    )


class TestValgrind(BuiltIn):
    format = FORMATS["valgrind"]
    samples = SAMPLES / "valgrind"
    sums_up = True
    big = (
        b"<valgrindoutput><tool>memcheck</tool>",
        b"<error><kind>Kind%d</kind><what>" + LONG + b"</what></error>",
        b"<status><state>FINISHED</state></status></valgrindoutput>",
    )


class TestGccJSON(BuiltIn):
    format = FORMATS["gcc_json"]
    samples = SAMPLES / "gcc_json"
    sums_up = True
    big = b"[", b'{"kind":"warning","option":"-W%d","message":"' + LONG + b'"},', b'{"kind":"note"}]'


class TestFedoraWiki(BuiltIn):
    format = FORMATS["fedora_wiki"]
    samples = SAMPLES / "fedora_wiki"
    big = b"{|\n", b"|-\n| [[QA:Testcase_%d]]\n| {{result|pass|a}} " + LONG + b"\n", b"|}\n"


class TestLTP(BuiltIn):
    format = FORMATS["ltp"]
    samples = SAMPLES / "ltp"
    big = (
        b'{"results":[',
        b'{"test_fqn":"LTP:a:t%d","test":{"result":"TPASS","log":"' + LONG + b'"}},',
        b'{"test_fqn":"z","test":{"result":"TPASS"}}]}',
    )


class TestCsdiff(BuiltIn):
    format = FORMATS["csdiff"]
    samples = SAMPLES / "csdiff"
    sums_up = True
    big = b'{"defects":[', b'{"checker":"A","tool":"t%d","events":[{"message":"' + LONG + b'"}]},', b"]}"


class TestCsdiffText(BuiltIn):
    format = FORMATS["csdiff_text"]
    samples = SAMPLES / "csdiff_text"
    sums_up = True
    big = b"", b"a.c:%d: warning: " + LONG + b"<--[tool%d]\n", b""


class TestCTRF(BuiltIn):
    format = FORMATS["ctrf"]
    samples = SAMPLES / "ctrf"
    big = (
        b'{"results":{"tool":{"name":"x"},"tests":[',
        b'{"name":"t%d","status":"passed","x":"' + LONG + b'"},',
        b"{}]}}",
    )


class TestNUnit(BuiltIn):
    format = FORMATS["nunit"]
    samples = SAMPLES / "nunit"
    big = b"<test-run>", b"<test-case fullname='N.C.t%d' result='Passed' x='" + LONG + b"'/>", b"</test-run>"


class TestRobot(BuiltIn):
    format = FORMATS["robot"]
    samples = SAMPLES / "robot"
    big = (
        b"<robot><suite name='S'>",
        b"<test name='t%d'><kw name='k'><msg>" + LONG + b"</msg></kw><status status='PASS'/></test>",
        b"<status status='PASS'/></suite></robot>",
    )


class TestTRX(BuiltIn):
    format = FORMATS["trx"]
    samples = SAMPLES / "trx"
    sums_up = True
    big = (
        b"<TestRun><Results>",
        b'<UnitTestResult executionId="53faf76d-3ce9-492a-b19b-5a3c9f3e8bd8" testId="c8bbf3a4-b9ee-%d"'
        b' testName="t%d" computerName="build-host" duration="00:00:00.0170545" startTime="2025-06-22"'
        b' endTime="2025-06-22T14:17:11.9750850Z" testType="13cdc9d9-ddb5-4fa4-a97d" outcome="Passed"'
        b' testListId="8c84fa94-04c1-424b-9868-57a2d4851a1d"/>\n',
        b"</Results></TestRun>",
    )


class TestXUnitNet(BuiltIn):
    format = FORMATS["xunit_net"]
    samples = SAMPLES / "xunit_net"
    big = (
        b"<assemblies><assembly>",
        b"<test name='N.C.t%d' result='Pass' x='" + LONG + b"'/>",
        b"</assembly></assemblies>",
    )


class TestResultsDBMessage(BuiltIn):
    format = FORMATS["resultsdb_message"]
    samples = SAMPLES / "resultsdb_message"
    one_result = True
    big = (
        b'{"testcase":{"name":"dist.covscan"},"outcome":"PASSED","data":{"item":"a-1-1"},',
        b'"field %d":{"a":["' + LONG + b'"]},',
        b'"z":1}',
    )


class TestRpmdiff(BuiltIn):
    format = FORMATS["rpmdiff"]
    samples = SAMPLES / "rpmdiff"
    big = (
        b'{"tool":"rpmdiff","mode":"analysis","tests":[',
        b'{"name":"t%d","outcome":"Passed","x":"' + LONG + b'"},',
        b"{}]}",
    )


class TestRpmdiffText(BuiltIn):
    format = FORMATS["rpmdiff_text"]
    samples = SAMPLES / "rpmdiff_text"
    sums_up = one_result = True
    big = b"added       /usr/bin/tool\n", b"..5.......T /usr/share/file-%d\n", b""


@pytest.mark.demand("S-021")
class TestRpmgrill(BuiltIn):
    format = FORMATS["rpmgrill"]
    samples = SAMPLES / "rpmgrill"
    big = (
        b'{"results":{"tool":"rpmgrill"},"tests":[',
        b'{"module":"M%d","status":"completed","x":"' + LONG + b'"},',
        b"{}]}",
    )


class TestRpmgrillXML(BuiltIn):
    format = FORMATS["rpmgrill_xml"]
    samples = SAMPLES / "rpmgrill_xml"
    big = (
        b"<results tool='rpmgrill'>",
        b"<test name='M%d' order='1' status='completed' x='" + LONG + b"'/>",
        b"</results>",
    )


class TestRpmgrillYAML(BuiltIn):
    format = FORMATS["rpmgrill_yaml"]
    samples = SAMPLES / "rpmgrill_yaml"
    big = b"results:\n  tool: rpmgrill\ntests:\n", b"  - '005 M%d : failed (0s) : \"" + LONG + b"\"'\n", b""


class TestRpminspect(BuiltIn):
    format = FORMATS["rpminspect"]
    samples = SAMPLES / "rpminspect"
    big = b"{", b'"check%d":[{"result":"OK","x":"' + LONG + b'"}],', b'"z":[]}'


class TestRpminspectText(BuiltIn):
    format = FORMATS["rpminspect_text"]
    samples = SAMPLES / "rpminspect_text"
    big = b"", b"abidiff:\n--------\n1) " + LONG + b"\n\nResult: OK\n\n\n", b""


class TestRpmlint(BuiltIn):
    format = FORMATS["rpmlint"]
    samples = SAMPLES / "rpmlint"
    sums_up = True
    big = (
        b"==== rpmlint session starts ====\n",
        b"a.x86_64: W: check-%d " + LONG + b"\n",
        b" 1 packages and 0 specfiles checked; 0 errors, 9 warnings\n",
    )


@pytest.mark.demand("S-023")
class TestTPS(BuiltIn):
    format = FORMATS["tps"]
    samples = SAMPLES / "tps"
    big = (
        b'{"tool":"tps","jobs":[',
        b'{"id":"%d","arch":"x","stream":"s","state":"good","x":"' + LONG + b'"},',
        b"{}]}",
    )


class TestAvocado(BuiltIn):
    format = FORMATS["avocado"]
    samples = SAMPLES / "avocado"
    big = (
        b'{"job_id":"1","debuglog":"x","errors":0,"tests":[',
        b'{"name":"t%d","status":"PASS","x":"' + LONG + b'"},',
        b"{}]}",
    )


class TestBeaker(BuiltIn):
    format = FORMATS["beaker"]
    samples = SAMPLES / "beaker"
    big = (
        b"<job><recipeSet><recipe arch='x86_64'>",
        b"<task name='/t/%d' result='Pass' status='Completed' x='" + LONG + b"'/>",
        b"</recipe></recipeSet></job>",
    )


class TestGoTest(BuiltIn):
    format = FORMATS["go_test"]
    samples = SAMPLES / "go_test"
    big = b"", b'{"Action":"pass","Package":"x","Test":"T%d","x":"' + LONG + b'"}\n', b""

    def _complete(self, data: bytes) -> bool:
        """A stream cut between two tests is a whole one by itself; cut within one it says so."""
        return True


class TestGTest(BuiltIn):
    format = FORMATS["gtest"]
    samples = SAMPLES / "gtest"
    big = (
        b'{"testsuites":[{"testsuite":[',
        b'{"name":"t%d","classname":"S","result":"COMPLETED","x":"' + LONG + b'"},',
        b"{}]}]}",
    )


class TestAllureXML(BuiltIn):
    format = FORMATS["allure_xml"]
    samples = SAMPLES / "allure_xml"
    big = (
        b"<a:test-suite xmlns:a='urn:model.allure.qatools.yandex.ru'><name>S</name><test-cases>",
        b"<test-case status='passed'><name>t%d</name><steps><step><name>" + LONG + b"</name></step></steps>"
        b"</test-case>",
        b"</test-cases></a:test-suite>",
    )


class TestCTest(BuiltIn):
    format = FORMATS["ctest"]
    samples = SAMPLES / "ctest"
    big = (
        b"<Site><Testing>",
        b"<Test Status='passed'><Name>t%d</Name><FullCommandLine>" + LONG + b"</FullCommandLine></Test>",
        b"</Testing></Site>",
    )


class TestUnitXML(BuiltIn):
    format = FORMATS["unit_xml"]
    samples = SAMPLES / "unit_xml"
    big = (
        b"<TestLog><TestSuite name='S'>",
        b"<TestCase name='t%d'><Info>" + LONG + b"</Info></TestCase>",
        b"</TestSuite></TestLog>",
    )


class TestMocha(BuiltIn):
    format = FORMATS["mocha"]
    samples = SAMPLES / "mocha"
    big = (
        b'{"stats":{"suites":1},"passes":[',
        b'{"title":"t%d","fullTitle":"S t%d","x":"'.replace(b" t%d", b"") + LONG + b'"},',
        b"{}]}",
    )


class TestOpenQADetails(BuiltIn):
    format = FORMATS["openqa_details"]
    samples = SAMPLES / "openqa_details"
    big = b"[", b'{"result":"ok","screenshot":"s-%d.png","text":"' + LONG + b'"},', b"{}]"


class TestRobotJSON(BuiltIn):
    format = FORMATS["robot_json"]
    samples = SAMPLES / "robot_json"
    sums_up = True
    big = (
        b'{"generator":"Robot","generated":"x","rpa":false,"suite":{"name":"S","tests":[',
        b'{"name":"t%d","status":"PASS","body":[{"type":"MESSAGE","message":"' + LONG + b'"}]},',
        b"{}]}}",
    )


class TestKiwi(BuiltIn):
    format = FORMATS["kiwi"]
    samples = SAMPLES / "kiwi"
    big = b"[", b'{"case__summary":"c%d","status__name":"PASSED","x":"' + LONG + b'"},', b"{}]"


class TestManualCSV(BuiltIn):
    format = FORMATS["manual_csv"]
    samples = SAMPLES / "manual_csv"
    big = b"testcase,outcome,note\n", b'case %d,PASSED,"' + LONG + b'"\n', b""

    def _complete(self, data: bytes) -> bool:
        """A table cut between two rows is a whole one by itself."""
        return True


class TestNitrate(BuiltIn):
    format = FORMATS["nitrate"]
    samples = SAMPLES / "nitrate"
    big = (
        b"<testcaseruns>",
        b"<testcaserun case_run_id='%d' summary='s' status='PASSED' x='" + LONG + b"'/>",
        b"</testcaseruns>",
    )


class TestOpenQA(BuiltIn):
    format = FORMATS["openqa"]
    samples = SAMPLES / "openqa"
    sums_up = True
    big = b'{"job":{"modules":[', b'{"name":"m%d","result":"passed","x":"' + LONG + b'"},', b"{}]}}"


class TestTmt(BuiltIn):
    format = FORMATS["tmt"]
    samples = SAMPLES / "tmt"
    big = b"", b"- name: /t/%d\n  result: pass\n  serial-number: 1\n  x: '" + LONG + b"'\n", b""

    def _complete(self, data: bytes) -> bool:
        """A list cut between two results is a whole one by itself."""
        return True


class TestSARIF(BuiltIn):
    format = FORMATS["sarif"]
    samples = SAMPLES / "sarif"
    sums_up = True
    big = (
        b'{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}},"results":[',
        b'{"ruleId":"r%d","message":{"text":"' + LONG + b'"}},',
        b'{"ruleId":"z"}]}]}',
    )


@pytest.mark.demand("S-128")
class TestTAP(BuiltIn):
    format = FORMATS["tap"]
    samples = SAMPLES / "tap"
    big = b"TAP version 14\n", b"ok - a thing number %d\n  ---\n  at: " + LONG + b"\n  ...\n", b""

    def _complete(self, data: bytes) -> bool:
        """A last line cut before the brace that opens its subtest is a whole one by itself."""
        return super()._complete(data) or data.rpartition(b"\n")[2].startswith(b"ok")
