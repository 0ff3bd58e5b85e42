"""Pages about gates and waivers: what they tell, whom they refuse, and names that attack; on both stores."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import gated
import pytest
import requests
from fake_server import Client, serving
from jsonschema import Draft202012Validator

from ci_results.cli.published import published
from ci_results.config_auth import Auth
from ci_results.decide.builtin import RULE_TYPES
from ci_results.decide.policy_set import load
from ci_results.domain.waiver import Terms
from ci_results.errors import AuthorityUnavailableError
from ci_results.operations import waive
from ci_results.operations.policies import FixedPolicies
from ci_results.operations.schema_check import whole
from ci_results.operations.waive import Desk, Wish
from ci_results.serve.auth.access import Access
from ci_results.store.opening import open_store
from ci_results.testing.decision_rules import awaited
from ci_results.waive.life import Actor

FAILED = gated.BUILDS["failed"]
SCRIPT = "<script>document.title='owned'</script>"
FIELDS = ("subject", "testcase", "product_version", "scenario", "arch", "purpose", "expires")
NAMES = {
    "slashes": "a/b//c/../d", "quotes": "\"'`<>&", "nul": "a\0b", "long": "x" * 5_000, "script": SCRIPT,
    "unicode": "žluťoučký-5-1.fc40 \u202egpj", "json": "a.json", "type": "koji_build/a/b",
    "percent": "%2e%2e%2f%",
    "glob": "*%_[a]\\,", "blank": " ", "newline": "a\r\nX-Evil: 1", "nothing": "koji_build/",
}  # fmt: skip


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))]
)
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    url = f"sqlite:{tmp_path_factory.mktemp('gates') / 'r.db'}"
    if request.param == "postgresql":
        place: Callable[[str], str] = request.getfixturevalue("postgresql_of_module")
        url = place("gatepages")
    store = open_store(url)
    gated.fill(store)
    auth = Auth(tokens=gated.TOKENS)
    with serving(auth, store=store, policies=gated.policies(), waive=gated.RULES) as found:
        yield found
    store.close()


@contextmanager
def as_user(client: Client, token: str) -> Iterator[Client]:
    """A browser of its own, logged in."""
    with Client(client.root, client.store) as own:
        fields = {"form": secret(own, "/inbox/-/login"), "token": token, "next": "/inbox"}
        done = own.post("/inbox/-/login", data=fields, allow_redirects=False)
        assert (done.status_code, done.headers["location"]) == (303, "/inbox")
        yield own


def secret(client: Client, path: str = "/inbox") -> str:
    found = re.search(r'name="form" value="([^"]+)"', client.get(path).text)
    assert found
    return found[1]


def holds(name: str, told: requests.Response) -> Any:
    """Return a twin after holding it to the schema that is published of it."""
    schema = whole(f"page/{name}", published())
    assert [each.message for each in Draft202012Validator(schema).iter_errors(told.json())] == []
    return told.json()


def alert(answer: requests.Response) -> str:
    return " ".join(re.findall(r'role="alert">(.*?)</p>', answer.text, re.S))


def ask(client: Client, **changed: str) -> requests.Response:
    fields = {
        "subject_type": "koji_build", "subject": FAILED, "testcase": gated.BOOT, "step": "request",
        "product_version": "fedora-40", "comment": "infra, bug 4711",
    }  # fmt: skip
    if "form" not in changed:
        fields["form"] = secret(client)
    return client.post("/waiver/-/new", data=fields | changed, allow_redirects=False)


def decide(client: Client, path: str, step: str, **changed: str) -> requests.Response:
    fields = {"step": step, "comment": "seen it", "form": secret(client)}
    return client.post(path, data=fields | changed, allow_redirects=False)


@pytest.mark.demand("S-141")
@pytest.mark.parametrize(
    ("state", "verdict", "words"),
    [
        ("failed", "no-go", ["failed", "failed"]), ("missing", "wait", ["missing"]),
        ("errored", "error", ["errored"]), ("waiting", "wait", ["waiting"]), ("waived", "go", []),
        ("go", "go", []), ("no-policy", "no-policy", []),
    ],
)  # fmt: skip
def test_each_state_is_one_of_its_own(client: Client, state: str, verdict: str, words: list[str]) -> None:
    facts = holds("item", client.get(f"/item/{gated.BUILDS[state]}.json"))
    (of_type,) = facts["gates"]
    first = of_type["gates"][0]
    assert (first["verdict"], [each["word"] for each in first["blocks"]]) == (verdict, words)
    if state == "waived":
        (waived,) = first["waived"]
        assert (waived["word"], waived["state"], waived["waiver"]["username"]) == ("waived", "failed", "dev1")
        assert first["decision"]["progress"]["waived"] == 1
    if state == "no-policy":
        assert (first["decision"], first["summary"]) == (None, "no policy is for koji_build of rhel-9")


def test_a_blocker_has_its_run_history_place_and_a_request_that_is_filled_in(client: Client) -> None:
    facts = client.get(f"/item/koji_build/{FAILED}?format=json").json()
    assert [each["decision_context"] for each in facts["gates"][0]["gates"]] == [
        "bodhi_update_push_stable", "bodhi_update_push_testing",
    ]  # fmt: skip
    block = facts["gates"][0]["gates"][0]["blocks"][0]
    assert (block["testcase"], block["rule"]["file"], block["rule"]["line"]) == (
        gated.BOOT, "policies/fedora.yaml", 9,
    )  # fmt: skip
    assert block["result"]["build_url"] == f"https://jenkins.example/job/{gated.BOOT}/{FAILED}/"
    assert block["note"].startswith("kernel panic")
    assert len(block["history"]["results"]) == 20
    assert block["history"]["results"][-1]["item"] == FAILED
    assert block["history"]["said"].startswith("the last 20: ")
    form = client.get(block["waive"]).text
    assert "What it would do" in form
    assert facts["gates"][0]["gates"][0]["opens"] == [
        f"{gated.BOOT} (x86_64) passes or is waived", f"{gated.DIFF} passes or is waived",
    ]  # fmt: skip
    waiting = client.get(f"/item/{gated.BUILDS['waiting']}.json").json()["gates"][0]["gates"][0]
    assert waiting["blocks"][0]["waive"] is None  # its run goes on


CHOICE = """
id: choice
product_versions: [fedora-40]
decision_context: push
subject_type: koji_build
rules:
- !AtLeastRule {at_least: 1, testcases: [desktop.gnome.smoke, desktop.kde.smoke]}
- !TierRule {scope: tier, decision_context: push}
"""


def test_what_a_waived_part_opened_is_not_drawn_as_passed_and_a_rule_has_no_history() -> None:
    types = {kind.name: kind for kind in RULE_TYPES}
    choice = FixedPolicies(load([("c.yaml", CHOICE.encode())], types))
    with serving(Auth(), policies=choice) as client:
        gated.fill(client.store)
        terms = Terms(
            subject_type="koji_build", subject=FAILED, testcase="desktop.gnome.smoke",
            product_version="fedora-40",
        )  # fmt: skip
        actor = Actor(username="dev1", via="test")
        waive.grant(Desk(store=client.store), [Wish(terms=terms, comment="infra")], actor)
        gate = client.get(f"/item/{FAILED}.json").json()["gates"][0]["gates"][0]
        (waived,) = gate["waived"]
        assert (waived["word"], [part["state"] for part in waived["parts"]]) == (
            "waived",
            ["missing", "missing"],
        )
        assert gate["passed"] == []
        (tier,) = gate["blocks"]
        assert (tier["word"], tier["history"], tier["waive"]) == ("unknown", None, None)
        page = client.get(f"/item/{FAILED}").text
        assert 'by <a href="/waiver/W-2">W-2</a>' in page
        assert "never reported" not in page.partition("All results")[0]


def test_a_choice_is_waived_by_its_parts_and_says_what_they_are() -> None:
    types = {kind.name: kind for kind in RULE_TYPES}
    choice = FixedPolicies(load([("c.yaml", CHOICE.encode())], types))
    with serving(Auth(), policies=choice) as client:
        gated.fill(client.store)
        asked = "purpose=advisory%3AFEDORA-1"
        gate = client.get(f"/item/{FAILED}?{asked}&format=json").json()["gates"][0]["gates"][0]
        (_tier, either) = gate["blocks"]
        assert (either["waive"], either["history"]) == (None, None)
        for part, name in zip(either["parts"], ("desktop.gnome.smoke", "desktop.kde.smoke"), strict=True):
            given = dict(parse_qsl(part["waive"].partition("?")[2]))
            assert (given["testcase"], given["purpose"]) == (name, "advisory:FEDORA-1")
            assert part["waive"].replace("&", "&amp;") in client.get(f"/item/{FAILED}?{asked}").text


def test_an_item_of_which_only_an_event_told_is_not_unknown() -> None:
    with serving(Auth(), policies=gated.policies()) as client:
        client.store.save_events([awaited()])
        for path in ("/item/koji_build/bash-5.2-1.fc40", "/item/bash-5.2-1.fc40"):
            facts = holds("unknown-item", client.get(f"{path}?format=json"))
            assert [one["testcase"] for one in facts["expected"]] == ["dist.rpmlint", "dist.abi"]
            page = client.get(path)
            assert (page.status_code, "Nobody knows" in page.text) == (404, False)
            assert "2 results are expected" in page.text
            assert "by build.complete build-1" in page.text


def test_another_product_version_gate_and_purpose_can_be_asked_for(client: Client) -> None:
    asked = {"product_version": "fedora-39", "context": "bodhi_update_push_testing", "format": "json"}
    (of_type,) = client.get(f"/item/{FAILED}?{urlencode(asked)}").json()["gates"]
    assert [(each["product_version"], each["decision_context"]) for each in of_type["gates"]] == [
        ("fedora-39", "bodhi_update_push_testing")
    ]
    (unknown,) = client.get(f"/item/{FAILED}?context=nobody_knows&format=json").json()["gates"]
    assert unknown["gates"][0]["verdict"] == "no-policy"
    wrong = client.get(f"/item/{FAILED}?purpose=nonsense")
    assert (wrong.status_code, "is not KIND:VALUE" in alert(wrong).replace("&#39;", "'")) == (400, True)


def test_an_unknown_name_is_explained_and_with_its_type_says_what_will_be_required(client: Client) -> None:
    plain = client.get("/item/bash-5.2.26-9.fc40")
    assert (plain.status_code, "Nobody knows" in plain.text, FAILED in plain.text) == (404, True, True)
    typed = client.get("/item/koji_build/bash-5.2.26-9.fc40?format=json")
    facts = holds("unknown-item", typed)
    assert (typed.status_code, facts["gates"][0]["gates"][0]["verdict"]) == (404, "wait")
    assert FAILED in facts["nearest"]["items"]


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_are_explained_on_every_page(client: Client, name: str) -> None:
    text = NAMES[name]
    paths = [
        f"/item/{quote(text, safe='')}", f"/item/koji_build/{quote(text, safe='')}", f"/item/{quote(text)}",
        f"/waiver/{quote(text, safe='')}", f"/find?{urlencode({'q': text})}",
        f"/compare?{urlencode({'left': text, 'right': text})}",
        f"/policies?{urlencode({'product_version': text, 'context': text, 'type': text, 'package': text})}",
        f"/item/{FAILED}?{urlencode({'product_version': text, 'context': text})}",
        f"/waiver/-/new?{urlencode({'subject': text, 'testcase': text, 'product_version': text})}",
        f"/waiver/-/new?{urlencode(dict.fromkeys(FIELDS, text[:2_000]))}",
    ]  # fmt: skip
    for path in paths:
        for asked in (path, f"{path}{'&' if '?' in path else '?'}format=json"):
            answer = client.get(asked)
            assert answer.status_code in (200, 400, 404), (asked[:200], answer.status_code, answer.text[:300])
            assert SCRIPT not in answer.text or answer.headers["content-type"] == "application/json"
            assert "x-evil" not in answer.headers


@pytest.mark.parametrize("name", NAMES)
def test_hostile_words_in_forms_are_refused_or_kept_as_they_are(client: Client, name: str) -> None:
    text = NAMES[name]
    with as_user(client, gated.DEV) as dev:
        form = secret(dev)
        for field in FIELDS:
            for step in ("preview", "request"):
                told = {"testcase": f"hostile.{name}.{field}", field: text, "step": step, "form": form}
                answer = ask(dev, **told)
                assert answer.status_code in (200, 303, 400), (field, answer.status_code, answer.text[:300])
                assert SCRIPT not in answer.text
        refused = ask(dev, testcase="hostile.comment", comment=f"{text}\0")
        assert (refused.status_code, "NUL" in alert(refused)) == (400, True)
    assert client.get("/inbox").status_code == 200
    for waiver in client.get("/inbox.json").json()["pending"]:
        assert SCRIPT not in client.get(f"/waiver/{waiver['name']}").text


@pytest.mark.demand("S-063", "S-064")
def test_one_asks_another_approves_and_the_decision_turns(client: Client) -> None:
    build = gated.BUILDS["errored"]
    item = f"/item/{build}.json"
    with as_user(client, gated.DEV) as dev, as_user(client, gated.RM) as rm:
        shown = ask(dev, subject=build, step="preview")
        assert (shown.status_code, "becomes" in shown.text, "infra, bug 4711</textarea>" in shown.text) == (
            200, True, True,
        )  # fmt: skip
        made = ask(dev, subject=build)
        path, _, done = made.headers["location"].partition("?")
        assert (made.status_code, done) == (303, "done=requested")
        twice = ask(dev, subject=build)
        assert (twice.status_code, "says the same" in alert(twice)) == (409, True)
        assert (
            client.get(item).json()["gates"][0]["gates"][0]["verdict"] == "error"
        )  # pending: nothing changed
        facts = holds("waiver", client.get(f"{path}.json"))
        assert [(each["without"], each["granted"]) for each in facts["effect"]["decisions"]] == [
            ("error", "go")
        ]
        assert "You cannot approve it: nobody approves their own waiver" in dev.get(path).text
        own = decide(dev, path, "approve")
        assert (own.status_code, "nobody approves their own waiver" in alert(own)) == (403, True)
        blank = decide(rm, path, "approve", comment="  ")
        assert (blank.status_code, "a comment is missing: say why" in alert(blank)) == (400, True)
        assert decide(rm, path, "approve").headers["location"] == f"{path}?done=approved"
        late = decide(rm, path, "reject")
        assert (late.status_code, "was approved already by rm1" in alert(late)) == (409, True)
        gate = client.get(item).json()["gates"][0]["gates"][0]
        assert (gate["verdict"], gate["waived"][0]["waiver"]["approved_by"]) == ("go", ["rm1"])
        steps = client.get(f"{path}.json").json()["steps"]
        assert [(each["step"], each["username"], bool(each["refused"])) for each in steps] == [
            ("request", "dev1", False), ("approve", "dev1", True), ("approve", "rm1", False),
        ]  # fmt: skip
        assert decide(dev, path, "withdraw").headers["location"] == f"{path}?done=withdrawn"
        assert client.get(item).json()["gates"][0]["gates"][0]["verdict"] == "error"


def test_of_two_who_decide_at_once_the_second_learns_who_was_first(client: Client) -> None:
    with (
        as_user(client, gated.DEV) as dev1,
        as_user(client, gated.RM) as one,
        as_user(client, gated.RM) as two,
    ):
        path = (
            ask(dev1, subject=gated.BUILDS["go"], testcase=gated.DIFF).headers["location"].partition("?")[0]
        )
        forms = [(each, secret(each)) for each in (one, two)]

        def approve(given: tuple[Client, str]) -> int:
            fields = {"step": "approve", "comment": "yes", "form": given[1]}
            return given[0].post(path, data=fields, allow_redirects=False).status_code

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(approve, forms)) == [303, 409]


def test_a_form_counts_only_from_our_page_and_from_somebody_whom_we_know(client: Client) -> None:
    before = client.store.waivers.head()
    nobody = ask(client, form=secret(client, "/inbox/-/login"))
    assert (nobody.status_code, "nobody is logged in" in alert(nobody)) == (401, True)
    with as_user(client, gated.DEV) as dev:
        for forged in (
            ask(dev, form="x"),
            ask(dev, form=""),
            decide(dev, "/waiver/W-1", "withdraw", form="x"),
        ):
            assert forged.status_code == 403
        elsewhere = dev.post(
            "/waiver/W-1",
            data={"step": "withdraw", "comment": "x", "form": secret(dev)},
            headers={"Sec-Fetch-Site": "cross-site"},
        )
        assert elsewhere.status_code == 403
        assert dev.post("/waiver/W-1", json={"step": "withdraw"}).status_code == 400
        assert decide(dev, "/waiver/W-1", "grant").status_code == 400
        assert decide(dev, "/waiver/W-99999", "withdraw").status_code == 404
        wrong = ask(dev, expires="some day")
        assert (wrong.status_code, "neither a time" in alert(wrong)) == (400, True)
        assert "infra, bug 4711</textarea>" in wrong.text  # what was written is not lost
        late = ask(dev, subject=gated.BUILDS["waiting"])
        assert (late.status_code, "wait for its result" in alert(late)) == (400, True)
    assert client.store.waivers.head() == before


def test_where_nobody_knows_the_groups_pages_are_read_and_nothing_is_taken(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with as_user(client, gated.DEV) as dev:

        async def away(*_: object) -> frozenset[str]:
            raise AuthorityUnavailableError("the directory is away")

        form = secret(dev)
        monkeypatch.setattr(Access, "groups", away)
        assert [dev.get(path).status_code for path in ("/inbox", "/waiver/W-1")] == [200, 200]
        answer = decide(dev, "/waiver/W-1", "withdraw", form=form)
        assert (answer.status_code, "cannot be reached" in alert(answer)) == (502, True)


def test_cookies_go_to_pages_that_take_forms_alone(client: Client) -> None:
    with as_user(client, gated.DEV) as dev:
        assert {cookie.path for cookie in dev.cookies} == {"/manual", "/inbox", "/waiver"}
        out = dev.post("/inbox/-/logout", data={"form": secret(dev)}, allow_redirects=False)
        assert (out.status_code, out.headers["location"]) == (303, "/inbox")
        assert "log in" in dev.get("/inbox").text


def test_pages_bind_the_browser_and_run_no_script(client: Client) -> None:
    for path in (f"/item/{FAILED}", "/compare", "/policies", "/inbox", "/waiver/W-1", "/waiver/-/new"):
        page = client.get(path)
        assert page.status_code == 200
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "<script" not in page.text
        assert not re.search(r"\son\w+=|style=", page.text)


def test_two_items_side_by_side(client: Client) -> None:
    asked = {"left": gated.BUILDS["go"], "right": FAILED}
    facts = holds("compare", client.get(f"/compare?{urlencode(asked)}&format=json"))
    assert [(row["change"], row["testcase"]) for row in facts["rows"]] == [
        ("new failure", gated.BOOT), ("new failure", gated.DIFF), ("same", gated.LINT),
    ]  # fmt: skip
    unknown = client.get("/compare?left=nobody&right=" + FAILED)
    assert (unknown.status_code, "Nobody knows nobody" in unknown.text) == (404, True)


@pytest.mark.demand("S-099", "S-100")
def test_policies_are_shown_with_file_line_digest_and_what_is_odd(client: Client) -> None:
    facts = holds("policies", client.get("/policies?product_version=fedora-40&format=json"))
    assert facts["digest"].startswith("sha256:")
    assert [(row["file"], row["line"]) for row in facts["effective"]][:2] == [
        ("policies/fedora.yaml", 8), ("policies/fedora.yaml", 9),
    ]  # fmt: skip
    assert [each["kind"] for each in facts["findings"]] == ["unknown-testcase"]
    assert {row["passed_over"] for row in facts["effective"]} == {""}  # each gate weighs its own
    assert "No policy is for koji_build of suse" in client.get("/policies?product_version=suse").text


def test_a_server_without_policies_and_people_shows_everything_and_takes_nothing(tmp_path: Path) -> None:
    with serving(Auth()) as client:
        gated.fill(client.store)
        assert "No policy is configured" in client.get(f"/item/{FAILED}").text
        assert "No policy is configured" in client.get("/policies").text
        assert "nobody approves their own" in client.get("/inbox").text
        assert (
            "nothing is decided"
            in client.get(f"/waiver/-/new?subject={FAILED}&testcase=a.b&product_version=f").text
        )
        assert ask_without_login(client).status_code == 403


def ask_without_login(client: Client) -> requests.Response:
    return client.post("/waiver/-/new", data={"subject": "a", "step": "request"}, allow_redirects=False)
