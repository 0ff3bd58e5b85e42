"""Drive resultsdb_api as its users do: `python drive_resultsdb_api.py URL`. Runs in its own environment."""

import json
import sys

from resultsdb_api import ResultsDBapi, ResultsDBapiException

DESCRIBED = {"name": "client.b", "ref_url": "https://t/b"}
api = ResultsDBapi(sys.argv[1], max_retries=0)


def refusal(call, *args, **named):
    """Return what the client makes of a refusal."""
    try:
        call(*args, **named)
    except ResultsDBapiException as err:
        return {"message": err.message, "status": err.response.status_code}
    raise SystemExit("not refused")


group = api.create_group(ref_url="https://ci/1", description="nightly of ž")
said = {
    "group": group,
    "updated group": api.update_group(group["uuid"], description="weekly"),
    "testcase": api.create_testcase("client.a/b c", "https://t/1"),
    "updated testcase": api.update_testcase("client.a/b c", "https://t/2"),
    "result": api.create_result(
        outcome="passed", testcase="client.a/b c", groups=[group["uuid"]], note="a note", ref_url="https://ci/1/a",
        item="bash-5.2-1.fc40", type="koji_build", tags=["x", "x", "y"], arch=["x86_64"],
    ),
    "described": api.create_result("FAILED", DESCRIBED, item="bash-5.2-1.fc40"),
}  # fmt: skip
said |= {
    "one": api.get_result(said["result"]["id"]),
    "by item": api.get_results(item="bash-5.2-1.fc40"),
    "by two items": api.get_results(item=["bash-5.2-1.fc40", "nobody"], type="koji_build"),
    "by outcome": api.get_results(outcome=["FAILED"], testcases_like="client.*"),
    "by pattern": api.get_results(item_like="bash-*", limit=1, page=1),
    "by group": api.get_results(groups=[group["uuid"]]),
    "by testcase": api.get_results(testcases=["client.a/b c"], since="2020-01-01"),
    "got testcase": api.get_testcase("client.a/b c"),
    "testcases": api.get_testcases(name_like="client.*"),
    "named testcases": api.get_testcases(name="client.b,nobody"),
    "got group": api.get_group(group["uuid"]),
    "groups": api.get_groups(description_like="week*"),
    "no result": refusal(api.get_result, 99999999),
    "no testcase": refusal(api.get_testcase, "client.nobody"),
    "no outcome": refusal(api.create_result, "ODD", "client.a"),
    "colon": refusal(api.create_result, "PASSED", "client.a", **{"a:b": "c"}),
}
json.dump(said, sys.stdout)
