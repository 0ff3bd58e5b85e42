"""The families of formats, and what makes the shortest report of each that holds one passed record."""

from __future__ import annotations

XML = {
    "allure_xml": (
        "<a:test-suite xmlns:a='urn:model.allure.qatools.yandex.ru'><test-cases>",
        "<test-case status='passed'><name>a</name>",
        "</test-case>",
        "</test-cases></a:test-suite>",
    ),
    "beaker": (
        "<job><recipeSet><recipe>",
        "<task name='a' result='Pass'>",
        "</task>",
        "</recipe></recipeSet></job>",
    ),
    "cppcheck": (
        "<results version='2'><cppcheck version='2'/><errors>",
        "<error id='a' severity='style'>",
        "</error>",
        "</errors></results>",
    ),
    "ctest": ("<Site><Testing>", "<Test Status='passed'><Name>a</Name>", "</Test>", "</Testing></Site>"),
    "nitrate": (
        "<testcaseruns>",
        "<testcaserun summary='a' status='PASSED'>",
        "</testcaserun>",
        "</testcaseruns>",
    ),
    "nunit": ("<test-run>", "<test-case name='a' result='Passed'>", "</test-case>", "</test-run>"),
    "robot": ("<robot><suite>", "<test name='a'><status status='PASS'/>", "</test>", "</suite></robot>"),
    "rpmgrill_xml": (
        "<results tool='rpmgrill'>",
        "<test name='A' status='completed'>",
        "</test>",
        "</results>",
    ),
    "trx": (
        "<TestRun><Results>",
        "<UnitTestResult testName='a' outcome='Passed'>",
        "</UnitTestResult>",
        "</Results></TestRun>",
    ),
    "unit_xml": (
        "<TestLog><TestSuite name='s'>",
        "<TestCase name='a'>",
        "</TestCase>",
        "</TestSuite></TestLog>",
    ),
    "valgrind": (
        "<valgrindoutput><tool>memcheck</tool><status><state>FINISHED</state></status>",
        "<error unique='1'><kind>Leak_StillReachable</kind>",
        "</error>",
        "</valgrindoutput>",
    ),
    "xunit_net": (
        "<assemblies><assembly>",
        "<test name='a' result='Pass'>",
        "</test>",
        "</assembly></assemblies>",
    ),
}
"""What begins a report, begins a record that passed, ends it, ends the report."""
JSON = {
    "allure": ('{"uuid":"u","name":"', '","status":"passed"}'),
    "avocado": ('{"job_id":"1","debuglog":"","errors":0,"tests":[{"status":"PASS","name":"', '"}]}'),
    "coverity": ('{"type":"Coverity issues","issues":[{"checkerName":"', '"}]}'),
    "csdiff": ('{"defects":[{"checker":"', '"}]}'),
    "ctrf": ('{"results":{"tool":{"name":"x"},"tests":[{"status":"passed","name":"', '"}]}}'),
    "gcc_json": (
        '[{"kind":"warning","column-origin":1,"locations":[],"option":"-Wa","message":"',
        '"}]',
    ),
    "gtest": ('{"testsuites":[{"testsuite":[{"result":"COMPLETED","name":"', '"}]}]}'),
    "kiwi": ('[{"status__name":"PASSED","case__summary":"', '"}]'),
    "ltp": ('{"results":[{"test":{"result":"TPASS"},"test_fqn":"', '"}]}'),
    "mocha": ('{"stats":{"suites":1,"passes":1,"failures":0},"passes":[{"title":"', '"}]}'),
    "openqa": ('{"job":{"test":"a","result":"failed","modules":[{"result":"failed","name":"', '"}]}}'),
    "openqa_details": ('[{"result":"ok","screenshot":"', '"}]'),
    "resultsdb_message": ('{"testcase":{"name":"a.b"},"outcome":"FAILED","note":"', '","data":{"item":"a"}}'),
    "robot_json": (
        '{"generator":"Robot","generated":"x","rpa":false,"suite":{"tests":[{"status":"PASS","name":"',
        '"}]}}',
    ),
    "rpmdiff": ('{"tool":"rpmdiff","tests":[{"outcome":"Passed","name":"', '"}]}'),
    "rpmgrill": ('{"results":{"tool":"rpmgrill"},"tests":[{"status":"completed","module":"', '"}]}'),
    "rpminspect": ('{"elf":[{"result":"BAD","message":"', '"}]}'),
    "sarif": ('{"version":"2.1.0","runs":[{"results":[{"ruleId":"', '"}]}]}'),
    "tps": ('{"tool":"tps","jobs":[{"arch":"x","stream":"s","state":"good","id":"', '"}]}'),
}
"""What stands before and behind a text of a report."""
YAML = {
    "rpmgrill_yaml": "results:\n  tool: rpmgrill\ntests:\n  - 'x': ",
    "tmt": "- name: /a\n  result: pass\n  x: ",
}
LINES = {
    "csdiff_text": b"a.c:1: warning: ",
    "fedora_wiki": b"{|\n| [[QA:Testcase_a]]\n| {{result|pass|a}} ",
    "go_test": b'{"Action":"pass","Package":"x","Test":"',
    "manual_csv": b"testcase,outcome\nPASSED,",
    "rpmdiff_text": b"added       /",
    "rpminspect_text": b"elf:\n----\nResult: OK\n",
    "rpmlint": b"a.x86_64: W: ",
    "tap": b"1..1\nok 1 - ",
}
FAMILIES: dict[str, list[str]] = {
    "junit": ["junit"],
    "xml": sorted(XML),
    "json": sorted(JSON),
    "yaml": sorted(YAML),
    "lines": sorted(LINES),
}
