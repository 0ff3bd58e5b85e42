"""Made-up reports of every format, always the same ones: a head, many records, a tail.

Records are as long as those of the tools: most passed, every 25th failed with a traceback.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

TRACE = "    def test_{n}():\n>       assert compute({n}) == 42\nE       assert {n} == 42\n" * 15
PRINTED = "a line of what the test printed, which nobody reads\n" * 4
Record = Callable[[int, bool], str]


@dataclass(frozen=True, kw_only=True)
class Made:
    """How to make a report; `record` gives one by its number and whether it failed."""

    record: Record
    head: str = ""
    tail: str = ""
    between: str = "\n"


def write(target: Path, made: Made, megabytes: int) -> int:
    """Write a report of about that size; return how many records it has."""
    size, n = len(made.head), 0
    with target.open("w", encoding="utf-8") as out:
        out.write(made.head)
        while not n or size < megabytes * 1_000_000:
            text = (made.between if n else "") + made.record(n, n % 25 == 7)
            out.write(text)
            size += len(text)
            n += 1
        out.write(made.tail.replace("{count}", str(n)))
    return n


def _json(make: Callable[[int, bool], Any]) -> Record:
    return lambda n, failed: json.dumps(make(n, failed))


def _xml(tag: str, make: Callable[[int, bool], dict[str, str]], told: str = "", quiet: str = "") -> Record:
    """Make elements; `told` is inside of those that failed, `quiet` of the others; {trace} is put in."""

    def record(n: int, failed: bool) -> str:
        attributes = "".join(f' {name}="{escape(text)}"' for name, text in make(n, failed).items())
        inside = told.replace("{trace}", escape(TRACE.replace("{n}", str(n)))) if failed else quiet
        return f"<{tag}{attributes}>{inside}</{tag}>" if inside else f"<{tag}{attributes}/>"

    return record


def _ctest(n: int, failed: bool) -> str:
    output = escape(TRACE.replace("{n}", str(n))) if failed else PRINTED
    return (
        f'<Test Status="{"failed" if failed else "passed"}"><Name>{_name(n)}</Name><FullName>./{_name(n)}</FullName>'
        '<Results><NamedMeasurement type="numeric/double" name="Execution Time"><Value>0.012</Value>'
        f"</NamedMeasurement><Measurement><Value>{output}</Value></Measurement></Results></Test>"
    )


def _trace(n: int, failed: bool) -> str:
    return TRACE.replace("{n}", str(n)) if failed else ""


def _name(n: int) -> str:
    return f"test_part[{n:07d}-value-{n % 10}]"


def _where(n: int) -> str:
    return f"tests.unit.area_{n // 5000}.test_module_{n // 100}"


def _finding(n: int) -> dict[str, Any]:
    events = [
        {
            "file_name": f"src/part_{n % 300}.c",
            "line": n % 900 + step,
            "event": "path",
            "message": "taking true",
        }
        for step in range(5)
    ]
    return {"checker": f"CHECKER_{n % 60}", "cwe": 416, "tool": f"tool{n % 4}", "events": events}


def _sarif(n: int) -> dict[str, Any]:
    region = {"startLine": n % 900 + 1, "startColumn": 5, "snippet": {"text": "    free(pointer);\n"}}
    place = {"artifactLocation": {"uri": f"src/part_{n % 300}.c"}, "region": region}
    said = {"text": f"double free of pointer {n}"}
    flow = [{"location": {"physicalLocation": place, "message": said}} for _ in range(4)]
    return {
        "ruleId": f"rule-{n % 60}",
        "level": "warning",
        "message": said,
        "locations": [{"physicalLocation": place}],
        "codeFlows": [{"threadFlows": [{"locations": flow}]}],
    }


def _tap(n: int, failed: bool) -> str:
    if failed:
        said = "".join(f"    {line}\n" for line in _trace(n, True).splitlines())
        return f"not ok {n + 1} - {_where(n)}.{_name(n)}\n  ---\n  message: |\n{said}  ..."
    return f"ok {n + 1} - {_where(n)}.{_name(n)}"


def _go(n: int, failed: bool) -> str:
    place = {
        "Time": "2026-03-01T12:00:00.123456Z",
        "Package": f"acme.test/p{n // 100}",
        "Test": f"TestPart/{n}",
    }
    events = [
        {"Action": "run", **place},
        {"Action": "output", **place, "Output": f"=== RUN   TestPart/{n}\n"},
    ]
    if failed:
        events += [
            {"Action": "output", **place, "Output": f"{line}\n"} for line in _trace(n, True).split("\n")
        ]
    events.append({"Action": "fail" if failed else "pass", **place, "Elapsed": 0.01})
    return "\n".join(map(json.dumps, events))


def _yaml(n: int, failed: bool) -> str:
    return (
        f"-   name: /{_where(n).replace('.', '/')}/part-{n}\n    serial-number: {n}\n"
        f"    result: {'fail' if failed else 'pass'}\n    note:\n    - what it notes, number {n}\n"
        f"    log:\n    - data/guest/default-0/part-{n}/output.txt\n    - data/journal-{n}.txt\n"
        f"    start-time: '2026-03-01T12:00:00.123456+00:00'\n"
        f"    end-time: '2026-03-01T12:00:01.123456+00:00'\n    duration: 00:00:01\n"
        f"    guest:\n        name: default-0\n        role: null\n    check: []\n    subresult: []"
    )


def _robot(n: int, failed: bool) -> str:
    status = (
        f'<status status="{"FAIL" if failed else "PASS"}" start="2026-03-01T12:00:00.123456" elapsed="0.01"'
    )
    said = f">{escape(_trace(n, True))}</status>" if failed else "/>"
    message = '<msg time="2026-03-01T12:00:00.123456" level="INFO">what the keyword said</msg>'
    steps = f'<kw name="Log" owner="BuiltIn"><arg>hello</arg>{message}{status}/></kw>' * 3
    return f'<test id="s1-t{n}" name="Part {n}" line="{n}">{steps}<tag>tier1</tag>{status}{said}</test>'


def _case(n: int, failed: bool) -> dict[str, str]:
    return {"classname": _where(n), "name": _name(n), "time": f"{n % 1000 / 1000:.3f}"}


def _job(n: int, failed: bool) -> dict[str, Any]:
    modules = [{"name": f"m{k}", "category": "console", "result": "passed", "details": []} for k in range(30)]
    settings = {"ARCH": "x86_64", "FLAVOR": "dvd", "MACHINE": "64bit", "ISO": "a.iso", "TEST": f"t{n}"}
    job = {"id": n, "test": f"t{n}", "state": "done", "result": "failed" if failed else "passed"}
    return {"job": {**job, "settings": settings, "modules": modules, "t_finished": "2026-03-01T12:00:00"}}


REPORTS: dict[str, Made] = {
    "junit": Made(
        head='<testsuites><testsuite name="pytest">',
        record=_xml(
            "testcase", _case, '<failure message="it broke">{trace}</failure>',
        ),
        tail="</testsuite></testsuites>",
    ),
    "nunit": Made(
        head='<test-run><test-suite type="TestFixture" name="F">',
        record=_xml(
            "test-case",
            lambda n, failed: {
                "id": str(n), "name": _name(n), "fullname": f"{_where(n)}.{_name(n)}",
                "runstate": "Runnable", "result": "Failed" if failed else "Passed",
                "start-time": "2026-03-01 12:00:00Z", "end-time": "2026-03-01 12:00:01Z", "duration": "0.01",
            },
            "<failure><message>it broke</message><stack-trace>{trace}</stack-trace></failure>",
        ),
        tail="</test-suite></test-run>",
    ),
    "xunit_net": Made(
        head='<assemblies><assembly name="a.dll"><collection name="c">',
        record=_xml(
            "test",
            lambda n, failed: {
                "name": f"{_where(n)}.{_name(n)}", "type": _where(n), "method": _name(n), "time": "0.01",
                "result": "Fail" if failed else "Pass",
            },
            "<failure><message>it broke</message><stack-trace>{trace}</stack-trace></failure>",
        ),
        tail="</collection></assembly></assemblies>",
    ),
    "trx": Made(
        head='<TestRun xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010"><Results>',
        record=_xml(
            "UnitTestResult",
            lambda n, failed: {
                "executionId": f"53faf76d-3ce9-492a-b19b-{n:012d}", "testId": f"c8bbf3a4-b9ee-492a-b19b-{n:012d}",
                "testName": f"{_where(n)}.{_name(n)}", "computerName": "host", "duration": "00:00:00.0170545",
                "startTime": "2026-03-01T12:00:00.1234567+00:00", "endTime": "2026-03-01T12:00:01.1234567+00:00",
                "outcome": "Failed" if failed else "Passed",
            },
            "<Output><ErrorInfo><Message>it broke</Message><StackTrace>{trace}</StackTrace></ErrorInfo></Output>",
        ),
        tail="</Results></TestRun>",
    ),
    "robot": Made(
        head='<robot generator="Robot 7.5" schemaversion="5"><suite id="s1" name="Suite">',
        record=_robot,
        tail='<status status="FAIL" start="2026-03-01T12:00:00.123456" elapsed="9"/></suite></robot>',
    ),
    "beaker": Made(
        head='<job id="1"><recipeSet id="2"><recipe id="3" arch="x86_64" distro="D" result="Fail">',
        record=_xml(
            "task",
            lambda n, failed: {
                "name": f"/CoreOS/part-{n}", "id": str(n), "role": "None", "status": "Completed",
                "result": "Fail" if failed else "Pass", "start_time": "2026-03-01 12:00:00",
                "finish_time": "2026-03-01 12:00:01", "duration": "0:00:01",
            },
            '<results><result path="/it" result="Fail" score="1">{trace}</result></results>',
            '<logs><log href="https://b.test/log" name="out"/></logs>'
            '<results><result path="/a" result="Pass" score="0"/></results>',
        ),
        tail="</recipe></recipeSet></job>",
    ),
    "nitrate": Made(
        head="<testcaseruns>",
        record=_xml(
            "testcaserun",
            lambda n, failed: {
                "case_run_id": str(n), "case_id": str(n), "category": "--default--",
                "status": "FAILED" if failed else "PASSED", "summary": f"part {n} works as written", "scripts": "",
                "automated": "0",
            },
            '<loglinks/><issues><issue key="17"/></issues>',
        ),
        tail="</testcaseruns>",
    ),
    "rpmgrill_xml": Made(
        head='<results tool="rpmgrill" version="0.34">',
        record=_xml(
            "test",
            lambda n, failed: {"name": f"Module{n}", "order": str(n), "status": "completed", "run_time": "1"},
            '<gripe code="ManPageMissing" arch="x86_64" diag="No man page for &lt;tt&gt;/usr/bin/x&lt;/tt&gt;">'
            '<context path="/usr/bin/x"/></gripe>',
        ),
        tail="</results>",
    ),
    "gtest": Made(
        head='{"testsuites":[{"name":"Suite","testsuite":[',
        record=_json(lambda n, failed: {
            "name": _name(n), "file": f"tests/area_{n // 100}.cpp", "line": n % 900, "status": "RUN",
            "result": "COMPLETED", "timestamp": "2026-03-01T12:00:00Z", "time": "0.012s", "classname": _where(n),
            **({"failures": [{"failure": _trace(n, failed), "type": ""}]} if failed else {}),
        }),
        tail="]}]}",
        between=",",
    ),
    "mocha": Made(
        head='{"stats":{"suites":1},"passes":[',
        record=_json(lambda n, failed: {
            "title": _name(n), "fullTitle": f"{_where(n)} {_name(n)}", "file": f"tests/{n // 100}.js", "duration": 12,
            "currentRetry": 0, "err": {"message": "it broke", "stack": _trace(n, failed)} if failed else {},
        }),
        tail="]}",
        between=",",
    ),
    "ctest": Made(
        head="<Site><Testing><StartTestTime>1772366400</StartTestTime>",
        record=_ctest,
        tail="</Testing></Site>",
    ),
    "unit_xml": Made(
        head="<TestLog><TestSuite name='Suite'>",
        record=_xml(
            "TestCase", lambda n, failed: {"name": _name(n), "file": "a.cpp", "line": str(n % 900)},
            "<Error file='a.cpp' line='3'>{trace}</Error>", "<Info>checked</Info>",
        ),
        tail="</TestSuite></TestLog>",
    ),
    "allure_xml": Made(
        head="<a:test-suite xmlns:a='urn:model.allure.qatools.yandex.ru'><name>Suite</name><test-cases>",
        record=_xml(
            "test-case",
            lambda n, failed: {
                "start": "1772366400000", "stop": "1772366400012", "status": "failed" if failed else "passed",
            },
            "<name>part</name><failure><message>it broke</message><stack-trace>{trace}</stack-trace></failure>",
            "<name>part</name><steps><step><name>one</name></step></steps>",
        ),
        tail="</test-cases></a:test-suite>",
    ),
    "openqa_details": Made(
        head="[",
        record=_json(lambda n, failed: {
            "screenshot": f"module-{n}.png", "needle": f"text-{n}", "tags": [f"text-{n}"],
            "result": "fail" if failed else "ok", "area": [{"x": "0", "y": "0", "w": 128, "h": 66, "similarity": 99}],
        }),
        tail="]",
        between=",",
    ),
    "robot_json": Made(
        head='{"generator":"Robot 7.5","generated":"x","rpa":false,"suite":{"name":"Suite","tests":[',
        record=_json(lambda n, failed: {
            "id": f"s1-t{n}", "name": _name(n), "status": "FAIL" if failed else "PASS", "message": _trace(n, failed),
            "body": [{"name": "Log", "args": ["x"], "status": "PASS", "body": [{"type": "MESSAGE", "message": PRINTED}]}],
            "start_time": "2026-03-01T12:00:00.123456", "elapsed_time": 0.012, "lineno": n % 900, "tags": ["tier1"],
        }),
        tail="]}}",
        between=",",
    ),
    "ctrf": Made(
        head='{"reportFormat":"CTRF","results":{"tool":{"name":"jest"},"tests":[',
        record=_json(lambda n, failed: {
            "name": _name(n), "status": "failed" if failed else "passed", "duration": 12, "suite": [_where(n)],
            "start": 1772366400000, "stop": 1772366400012, "filePath": f"tests/{n // 100}.js", "trace": _trace(n, failed),
            "stdout": [PRINTED] if n % 4 == 0 else [], "tags": ["tier1"], "retries": 0,
        }),
        tail="]}}",
        between=",",
    ),
    "allure": Made(record=_json(lambda n, failed: {
        "uuid": f"6b0221fb-25e5-4bf4-8913-{n:012d}", "historyId": f"{n:032x}", "fullName": f"{_where(n)}#test_part",
        "name": _name(n), "status": "failed" if failed else "passed", "start": 1772366400000, "stop": 1772366400012,
        "statusDetails": {"message": "it broke", "trace": _trace(n, True)} if failed else {},
        "labels": [{"name": "suite", "value": "unit"}, {"name": "host", "value": "builder"}], "steps": [],
    })),
    "openqa": Made(record=_json(_job)),
    "resultsdb_message": Made(record=_json(lambda n, failed: {
        "testcase": {"name": f"dist.check_{n}", "ref_url": "https://t.test/x"}, "note": "as it was",
        "outcome": "FAILED" if failed else "PASSED", "ref_url": "https://t.test/x",
        "data": {"item": f"bash-5.2-{n}.fc40", "type": "koji_build", "scratch": False, "taskid": n},
    })),
    "sarif": Made(
        head='{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"gcc"}},"results":[',
        record=_json(lambda n, failed: _sarif(n)),
        tail="]}]}",
        between=",",
    ),
    "csdiff": Made(
        head='{"defects":[', record=_json(lambda n, failed: _finding(n)), tail="]}", between=",",
    ),
    "coverity": Made(
        head='{"type":"Coverity issues","formatVersion":10,"issues":[',
        record=_json(lambda n, failed: {
            "mergeKey": f"{n:032x}", "checkerName": f"CHECKER_{n % 60}", "mainEventFilePathname": "src/part.c",
            "mainEventLineNumber": n % 900, "events": [
                {"eventTag": "path", "eventDescription": "Condition taken", "filePathname": "src/part.c",
                 "lineNumber": step, "main": step == 3} for step in range(5)
            ],
        }),
        tail="]}",
        between=",",
    ),
    "rpmgrill": Made(
        head='{"results":{"tool":"rpmgrill"},"tests":[',
        record=_json(lambda n, failed: {
            "module": f"Module{n}", "order": n, "status": "completed", "run_time": 1,
            "results": [{"code": "X", "diag": "No <tt>man</tt> page", "arch": "x86_64"}] if failed else [],
        }),
        tail="]}",
        between=",",
    ),
    "rpminspect": Made(
        head="{",
        record=lambda n, failed: f'"check{n}":' + json.dumps([{
            "result": "BAD" if failed else "OK", "waiver authorization": "Anyone", "message": "what it found",
            "details": _trace(n, failed), "remedy": "what to do",
        }]),
        tail="}",
        between=",",
    ),
    "rpmdiff": Made(
        head='{"tool":"rpmdiff","mode":"comparison","tests":[',
        record=_json(lambda n, failed: {
            "name": f"ABI symbols {n}", "outcome": "Failed" if failed else "Passed", "web_url": "https://r.test/1",
            "note": _trace(n, failed),
        }),
        tail="]}",
        between=",",
    ),
    "tps": Made(
        head='{"tool":"tps","run_id":"1","jobs":[',
        record=_json(lambda n, failed: {
            "id": str(n), "item": "demo-1.1-1.el9", "arch": "x86_64", "stream": "RHEL-9", "check": "tps",
            "state": "bad" if failed else "good", "finished": "2026-03-01T12:00:00Z", "log_url": "https://t.test/1",
        }),
        tail="]}",
        between=",",
    ),
    "avocado": Made(
        head='{"job_id":"1","debuglog":"x","errors":0,"tests":[',
        record=_json(lambda n, failed: {
            "id": f"{n}-a.py", "name": f"{_where(n)}.{_name(n)}", "status": "FAIL" if failed else "PASS",
            "fail_reason": "it broke" if failed else "<unknown>", "actual_time_end": 1772366400.5,
            "time_elapsed": 0.01, "logdir": "/var/log/avocado/1", "logfile": "/var/log/avocado/1/debug.log",
            "whiteboard": "", "tags": {},
        }),
        tail="]}",
        between=",",
    ),
    "kiwi": Made(
        head="[",
        record=_json(lambda n, failed: {
            "id": n, "case__summary": f"part {n} works", "status__name": "FAILED" if failed else "PASSED",
            "status__weight": 20, "build__name": "1.0", "tested_by__username": "alice", "run": 1,
            "start_date": "2026-03-01T12:00:00", "stop_date": "2026-03-01T12:00:01",
        }),
        tail="]",
        between=",",
    ),
    "go_test": Made(record=_go),
    "tmt": Made(record=_yaml),
    "rpmgrill_yaml": Made(
        head="---\nresults:\n    tool: rpmgrill\ntests:\n",
        record=lambda n, failed: f"    - '{n:03d} Module{n}   : completed (1s)'" + (
            ":\n        - code: X\n          arch: x86_64\n          diag: No man page" if failed else ""
        ),
    ),
    "manual_csv": Made(
        head="testcase,outcome,arch,tester,note,date\n",
        record=lambda n, failed: f"part {n} works,{'fail' if failed else 'pass'},x86_64,alice,"
        f'"what, was seen",2026-03-01 12:00:00',
        tail="\n",
    ),
    "tap": Made(head="TAP version 14\n", record=_tap, tail="\n1..{count}\n"),
    "csdiff_text": Made(
        record=lambda n, failed: f"Error: CHECKER_{n % 60} (CWE-416): [#def{n}]\n"
        f"src/part_{n % 300}.c:{n % 900}: alloc_fn: Storage is returned from allocation function\n"
        f"src/part_{n % 300}.c:{n % 900}: leaked_storage: Variable going out of scope leaks\n"
        "#  489|   \tif (this)\n#  490|-> \t\treturn that;\n",
    ),
    "rpmdiff_text": Made(
        record=lambda n, failed: f"{'added      ' if failed else '..5.......T'} /usr/share/demo/file-{n}"
    ),
    "rpminspect_text": Made(
        record=lambda n, failed: f"check{n}:\n{'-' * len(f'check{n}:')}\n1) what it found in number {n}\n\n"
        f"Result: {'BAD' if failed else 'OK'}\nWaiver Authorization: Anyone\n\nDetails:\n{PRINTED}\n\n",
    ),
    "rpmlint": Made(
        head="==== rpmlint session starts ====\n",
        record=lambda n, failed: f"demo.x86_64: {'E' if failed else 'W'}: check-{n % 60} /usr/share/demo/file-{n}",
        tail="\n 1 packages and 0 specfiles checked; 9 errors, 9 warnings, 9 badness; has taken 0.8 s \n",
    ),
}  # fmt: skip
A_LINE_A_DOCUMENT = frozenset({"allure", "openqa", "resultsdb_message"})
"""Formats of which a file holds one result or job: here many stand in one file, a line each."""


def documents(report: Path) -> Iterator[bytes]:
    """Yield the documents of a file of one a line."""
    with report.open("rb") as lines:
        yield from lines
