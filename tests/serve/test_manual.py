"""Pages about manual tests: what they show, what their forms store, and whom they refuse."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from fake_server import Client, serving

from ci_results.config_auth import Auth, ProxyTable
from ci_results.domain.plan import PlanCase
from ci_results.query.results import ResultQuery
from ci_results.testing.plan_rules import PLAN

from .conftest import Start
from .users import BOT, OTHER, SECRET

PAGE = f"/manual/{PLAN.name}/{PLAN.item}"
OURS = [{"testcases": ["desktop.login"], "users": ["bot"]}]
SCRIPT = "<script>document.title='owned'</script>"


@contextmanager
def planned(auth: Auth = Auth(), *args: Any, **named: Any) -> Iterator[Client]:  # noqa: B008
    with serving(auth, *args, **named) as client:
        client.store.save_plan(PLAN, "jdoe", before=0)
        yield client


@pytest.fixture
def client() -> Iterator[Client]:
    """A server on loopback that knows nobody, and a plan."""
    with planned() as found:
        yield found


@pytest.fixture
def strict() -> Iterator[Client]:
    """A server that others reach, and that knows a bot, which may speak for one testcase alone."""
    with planned(Auth(tokens=(BOT,)), OURS, here_only=False) as found:
        yield found


def form(client: Client, path: str = PAGE, *, number: int = 1, **more: str) -> dict[str, str]:
    """Return the fields of the form of one testcase, as a browser would send them."""
    section = rf'<section class="card case" id="case-{number}".*?</section>'
    (text,) = re.findall(section, client.get(path).text, re.S)
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text))
    return {**hidden, "outcome": "PASSED", **({"actor": "alice"} if "actor" in text else {}), **more}


def log_in(client: Client, token: str, after: str = PAGE) -> int:
    secret = re.search(
        r'name="form" value="([^"]+)"', client.get(f"/manual/-/login?next={quote(after)}").text
    )
    assert secret
    fields = {"form": secret[1], "token": token, "next": after}
    return client.post("/manual/-/login", data=fields, allow_redirects=False).status_code


def stored(client: Client) -> list[Any]:
    return client.store.results(ResultQuery())


@pytest.mark.demand("S-133", "S-135")
def test_a_form_stores_a_result_and_leads_back_to_its_testcase(client: Client) -> None:
    fields = form(client, comment="all well\r\nreally", ref_url="https://bugs.example/1")
    answer = client.post(PAGE, data=fields, allow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}?recorded=1#case-1")
    (one,) = stored(client)
    assert (one.testcase, one.outcome) == ("desktop.login", "PASSED")
    assert (one.item, one.item_type) == (PLAN.item, "compose")
    assert (one.note, one.ref_url, one.source) == ("all well\nreally", "https://bugs.example/1", "manual")
    assert {name: one.data[name] for name in ("method", "actor", "actor_verified")} == {
        "method": ["manual"], "actor": ["alice"], "actor_verified": ["false"],
    }  # fmt: skip
    page = client.get(answer.headers["location"])
    assert "Recorded as result 1" in page.text
    assert "1 of 2 done (50 %): 1 passed, 1 missing" in page.text
    assert "(not verified)" in page.text
    facts = client.get(f"{PAGE}.json").json()
    assert (facts["state"], facts["progress"]["percent"]) == ("waiting", 50.0)
    assert facts["cases"][0]["results"][0]["note"] == "all well\nreally"
    assert client.get("/manual").text.count("1 of 2 done (50 %)") == 2  # the words, and the bar's label


@pytest.mark.demand("S-133")
def test_a_form_that_is_sent_twice_stores_once(client: Client) -> None:
    fields = form(client)
    for _ in range(2):
        assert client.post(PAGE, data=fields).status_code == 200
    assert len(stored(client)) == 1


def test_a_form_that_is_sent_again_with_other_words_is_not_lost_in_silence(client: Client) -> None:
    fields = form(client)
    client.post(PAGE, data=fields)
    again = client.post(PAGE, data={**fields, "outcome": "FAILED", "comment": "no, it fails"})
    assert again.status_code == 409
    assert "no, it fails" in again.text
    assert "sent before with other words" in again.text
    assert len(stored(client)) == 1


@pytest.mark.demand("S-133")
def test_a_correction_shows_what_was_said_before(client: Client) -> None:
    client.post(PAGE, data=form(client, outcome="FAILED", comment="it fails"))
    client.post(PAGE, data=form(client, outcome="PASSED", comment="oh, it does not"))
    case = client.get(f"{PAGE}.json").json()["cases"][0]
    assert case["outcome"] == "PASSED"
    assert [one["note"] for one in case["older"]] == ["it fails"]


def test_the_name_that_somebody_gave_is_there_in_the_next_form(client: Client) -> None:
    client.post(PAGE, data=form(client, actor="Žofie, QE"))
    assert 'value="Žofie, QE"' in client.get(PAGE).text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"outcome": ""}, "choose an outcome"),
        ({"outcome": "FINE"}, "is none of PASSED"),
        ({"actor": " "}, "say who you are"),
        ({"actor": "a\0b"}, "not the name of a user"),
        ({"ref_url": "javascript:alert(1)"}, "not http or https"),
        ({"comment": "a\0b"}, "NUL"),
        ({"testcase": "desktop.other"}, "does not require this testcase"),
        ({"once": ""}, "not whole"),
    ],
)
def test_what_breaks_a_rule_is_told_beside_what_was_written(
    client: Client, change: dict[str, str], said: str
) -> None:
    fields = form(client, comment="what I wrote")
    answer = client.post(PAGE, data={**fields, **change})
    assert answer.status_code == 400
    assert said in answer.text
    assert stored(client) == []
    if not {"testcase", "comment"} & set(change):
        assert ">what I wrote</textarea>" in answer.text


@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        ({"form": ""}, {}),
        ({"form": "guessed"}, {}),
        ({}, {"Sec-Fetch-Site": "cross-site"}),
        ({}, {"Sec-Fetch-Site": "same-site"}),
        ({}, {"Cookie": "ci_results_form="}),
    ],
)
def test_a_form_of_another_page_is_refused(
    client: Client, fields: dict[str, str], headers: dict[str, str]
) -> None:
    sent = {**form(client), **fields}
    if "Cookie" in headers:
        client.cookies.clear()
    answer = client.post(PAGE, data=sent, headers=headers)
    assert answer.status_code == 403
    assert "does not come from a page" in answer.text
    assert "Load the page again" in answer.text
    assert stored(client) == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"outcome": "PASSED"}', "application/json"),
        (b"x", "text/plain"),
        (b"\xff=\xff", "application/x-www-form-urlencoded"),
        (b"&".join([b"a=b"] * 60), "application/x-www-form-urlencoded"),
        (b"a=" + b"x" * (2 * 1024 * 1024), "application/x-www-form-urlencoded"),
    ],
)
def test_what_is_no_form_is_refused(client: Client, body: bytes, kind: str) -> None:
    client.get(PAGE)
    assert client.post(PAGE, data=body, headers={"Content-Type": kind}).status_code == 400
    assert stored(client) == []


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(client: Client) -> None:
    client.post(PAGE, data=form(client))
    for cookie in client.cookies:
        assert cookie.path in ("/manual", "/inbox", "/waiver")
        assert cookie.has_nonstandard_attr("HttpOnly")
        assert str(cookie.get_nonstandard_attr("SameSite")).lower() == "lax"
    assert client.get(PAGE).headers["cache-control"] == "no-store"


@pytest.mark.demand("S-133")
def test_who_logs_in_with_a_token_records_under_its_name(strict: Client) -> None:
    assert "log in</a>" in strict.get(PAGE).text
    assert "<fieldset>" not in strict.get(PAGE).text
    assert log_in(strict, SECRET) == 303
    page = strict.get(PAGE).text
    assert "You are <strong>bot</strong>" in page
    assert 'name="actor"' not in page
    assert strict.post(PAGE, data=form(strict, actor="somebody else")).status_code == 200
    (one,) = stored(strict)
    assert (one.data["actor"], one.data["actor_verified"]) == (["bot"], ["true"])
    assert strict.get(f"{PAGE}.json").json()["cases"][0]["results"][0]["actor_verified"] is True


def test_who_logs_out_is_nobody(strict: Client) -> None:
    log_in(strict, SECRET)
    secret = form(strict)["form"]
    assert strict.post("/manual/-/logout", data={"form": "x"}).status_code == 403
    assert strict.post("/manual/-/logout", data={"form": secret}, allow_redirects=False).status_code == 303
    assert "You are" not in strict.get(PAGE).text


def test_a_token_that_nobody_knows_is_refused(strict: Client) -> None:
    assert log_in(strict, OTHER) == 401
    assert log_in(strict, "x" * 5_000) == 401
    assert "ci_results_token" not in strict.cookies


@pytest.mark.parametrize(
    "after",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "/manual/\\x", "/other", "/manual/\n"],
)
def test_a_login_leads_to_our_pages_alone(strict: Client, after: str) -> None:
    secret = re.search(r'name="form" value="([^"]+)"', strict.get("/manual/-/login").text)
    assert secret
    fields = {"form": secret[1], "token": SECRET, "next": after}
    answer = strict.post("/manual/-/login", data=fields, allow_redirects=False)
    assert answer.headers["location"] == "/manual"


@pytest.mark.demand("S-133")
def test_who_has_no_permission_is_told_why_and_what_next(strict: Client) -> None:
    log_in(strict, SECRET)
    refused = strict.post(PAGE, data=form(strict, number=2))
    assert refused.status_code == 403
    assert (
        "User bot is not authorized to submit results for the test case desktop.print/color" in refused.text
    )
    assert "Ask whoever runs this server for a permission" in refused.text
    assert stored(strict) == []


def test_who_is_not_logged_in_any_more_is_asked_to(strict: Client) -> None:
    log_in(strict, SECRET)
    fields = form(strict)
    strict.cookies.set("ci_results_token", OTHER, path="/manual", domain="127.0.0.1")
    strict.cookies.clear("127.0.0.1", "/manual", "ci_results_token")
    refused = strict.post(PAGE, data=fields)
    assert refused.status_code == 401
    assert f"/manual/-/login?next={PAGE}" in refused.text
    assert refused.headers["www-authenticate"].startswith("Bearer")
    assert stored(strict) == []


def test_permissions_hold_for_who_only_claims_a_name() -> None:
    with planned(Auth(tokens=(BOT,)), OURS) as client:
        refused = client.post(PAGE, data=form(client, actor="bot"))
        assert refused.status_code == 401
        assert stored(client) == []


def test_a_user_that_a_proxy_names_needs_no_login() -> None:
    proxy = ProxyTable(header="X-Remote-User", addresses=("127.0.0.1",))
    with planned(Auth(proxy=proxy), here_only=False) as client:
        client.headers["X-Remote-User"] = "rm1"
        assert client.post(PAGE, data=form(client)).status_code == 200
        assert stored(client)[0].data["actor"] == ["rm1"]


def test_a_client_that_posts_to_api_2_cannot_pass_for_somebody_we_knew(client: Client) -> None:
    data = {
        "item": PLAN.item,
        "type": "compose",
        "method": "manual",
        "actor": "rm1",
        "actor_verified": "true",
    }
    forged = {"testcase": "desktop.login", "outcome": "PASSED", "data": data}
    assert client.post("/api/v2.0/results", json=forged).status_code == 201
    (one,) = client.get(f"{PAGE}.json").json()["cases"][0]["results"]
    assert (one["actor"], one["actor_verified"]) == ("rm1", False)


def test_a_server_that_knows_nobody_and_is_reached_from_elsewhere_takes_nothing() -> None:
    with planned(here_only=False) as client:
        page = client.get(PAGE).text
        assert "ci-results token new NAME" in page
        assert "<fieldset>" not in page


def test_whatever_is_in_a_plan_or_a_finding_runs_nowhere(client: Client) -> None:
    hostile = PlanCase(testcase=f"evil.{SCRIPT}", title=SCRIPT, steps=SCRIPT, owner=SCRIPT, contact=SCRIPT)
    plan = replace(PLAN, name="evil", item_type="ci_build", item=SCRIPT, cases=(hostile,))
    client.store.save_plan(plan, SCRIPT, before=0)
    page = f"/manual/evil/{quote(SCRIPT, safe='')}"
    client.post(page, data=form(client, page, testcase=hostile.testcase, comment=SCRIPT, actor=SCRIPT))
    assert len(stored(client)) == 1
    odd = (f"{page}?recorded={quote(SCRIPT)}", f"/manual/{quote(SCRIPT, safe='')}")
    for path in (page, "/manual", "/manual/evil", *odd):
        assert SCRIPT not in client.get(path).text, path


@pytest.mark.parametrize("item", ["rpm/tier1#42", "a b?c=d&e", "x.json", "100%"])
def test_an_item_of_any_name_has_its_page_and_form(client: Client, item: str) -> None:
    client.store.save_plan(replace(PLAN, name="any", item_type="ci_build", item="*"), "jdoe", before=0)
    opened = client.get("/manual/any", params={"item": item})
    assert opened.status_code == 200
    (action,) = set(re.findall(r'<form class="record" action="([^"]+)"', opened.text))
    path = action.replace("&amp;", "&")
    answer = client.post(path, data=form(client, path))
    assert answer.status_code == 200
    assert "Recorded as result" in answer.text
    assert stored(client)[0].item == item
    (listed,) = client.get("/manual/any.json").json()["items"]
    assert listed["item"] == item


def test_a_long_plan_is_shown_in_parts_and_leads_back_to_the_right_one(client: Client) -> None:
    cases = tuple(PlanCase(testcase=f"desktop.case{number}") for number in range(1, 251))
    client.store.save_plan(replace(PLAN, name="long", cases=cases), "jdoe", before=0)
    page = f"/manual/long/{PLAN.item}"
    first = client.get(page).text
    assert first.count("<fieldset>") == 100
    assert 'id="case-100"' in first
    assert 'id="case-101"' not in first
    last = f"{page}?from=201"
    assert f'href="{last}"' in first
    assert client.get(last).text.count("<fieldset>") == 50
    fields = form(client, last, number=250)
    answer = client.post(last, data=fields, allow_redirects=False)
    assert answer.headers["location"] == f"{last}&recorded=1#case-250"
    wrong = client.post(last, data={**fields, "outcome": "", "once": "0" * 20})
    assert wrong.status_code == 400
    assert 'id="case-250"' in wrong.text
    assert len(client.get(f"{page}.json").json()["cases"]) == 250
    for odd in ("0", "-1", "x", "99999", "9" * 40):
        assert client.get(page, params={"from": odd}).status_code == 200


def test_a_plan_tells_its_versions(client: Client) -> None:
    client.store.save_plan(replace(PLAN, cases=PLAN.cases[:1]), "rm1", before=1)
    assert client.get("/manual/beta.json").json()["required"] == 1
    old = client.get("/manual/beta?version=1")
    assert "not the newest" in old.text
    assert client.get("/manual/beta?version=1&format=json").json()["required"] == 2
    for odd in ("7", "0", "x", "9" * 30, "9" * 5000):
        assert client.get("/manual/beta", params={"version": odd}).status_code == 404


@pytest.mark.parametrize(
    "path", ["/manual/gone", "/manual/gone/x", f"/manual/beta/{PLAN.item}x", "/manual/-/x"]
)
def test_what_is_not_there_is_told_with_what_next(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "ci-results manual plan import FILE" in answer.text
    if path.count("/") > 2:
        assert client.post(path, data=form(client)).status_code == 404


@pytest.mark.parametrize(("next_page", "lands"), [(PAGE, PAGE), ("https://evil.example/", None)])
def test_a_login_at_the_provider_leads_back_to_the_page(
    start: Start, next_page: str, lands: str | None
) -> None:
    with start() as client:
        client.store.save_plan(PLAN, "jdoe", before=0)
        assert "log in</a>" in client.get(PAGE).text
        asked = client.get("/auth/oidclogin", params={"next": next_page}, allow_redirects=False)
        sent_back = client.get(asked.headers["location"], allow_redirects=False).headers["location"]
        back = client.get(sent_back.removeprefix("http://127.0.0.1:1"), allow_redirects=False)
        assert back.headers.get("location") == lands
        assert "You are <strong>jdoe</strong>" in client.get(PAGE).text


@pytest.mark.needs("postgresql")
def test_a_store_that_is_no_file_has_these_pages_too(postgresql: Any) -> None:
    from ci_results.store.postgres import PostgresStore

    with PostgresStore.open(postgresql("one")) as store, planned(store=store) as client:
        assert "/coverage" not in client.get("/manual").text
        assert 'href="/manual"' in client.get("/").text
        assert client.post(PAGE, data=form(client)).status_code == 200
        assert client.get(f"{PAGE}.json").json()["progress"]["done"] == 1
        store.save_plan(replace(PLAN, name="any", item="*"), "jdoe", before=0)
        assert client.get("/manual/any/%00").status_code == 400
        assert client.get("/api/ci/v1/manual/status?item=%00").status_code == 200
