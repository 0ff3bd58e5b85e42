"""Gates in a real browser: why is it gated, who waives it, who approves; on a desk and on a phone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gated
import pytest
from fake_server import serving
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from ci_results.config_auth import Auth

from .conftest import DESKTOP, PHONE, Browser

pytestmark = [
    pytest.mark.needs("chromium"),
    pytest.mark.skipif(
        not shutil.which("chromium") or not shutil.which("chromedriver"), reason="needs chromium"
    ),
    pytest.mark.timeout(180),
]
SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
FAILED, PASSED = gated.BUILDS["failed"], gated.BUILDS["go"]
STATES = {
    "failed": ("NO-GO", "failed"),
    "missing": ("WAIT", "missing"),
    "errored": ("ERROR", "errored"),
    "waived": ("GO", "waived"),
    "waiting": ("WAIT", "waiting"),
    "no-policy": ("NO POLICY", None),
}
"""Of each build the verdict of its strictest gate, and the word beside the test that makes it."""

NEW = f"/waiver/-/new?subject={FAILED}&testcase={gated.BOOT}&product_version=fedora-40&arch=x86_64"
PAGES = {
    "item-go": f"/item/{PASSED}",
    "item-unknown": "/item/koji_build/bash-5.2.26-4.fc40",
    "compare": f"/compare?left={PASSED}&right={FAILED}",
    "compare-form": "/compare",
    "policies": "/policies?product_version=fedora-40&context=bodhi_update_push_stable",
    "inbox": "/inbox",
    "waiver": "/waiver/W-1",
    "waiver-new": NEW,
    "waiver-missing": "/waiver/W-99",
    "inbox-login": "/inbox/-/login",
    **{f"item-{state}": f"/item/{gated.BUILDS[state]}" for state in STATES},
}


@pytest.fixture(scope="module")
def root() -> Iterator[str]:
    """A server that knows two people, over builds in every state; for tests that change nothing."""
    with served() as found:
        yield found


@contextmanager
def served() -> Iterator[str]:
    with serving(Auth(tokens=gated.TOKENS), policies=gated.policies(), waive=gated.RULES) as client:
        gated.fill(client.store)
        yield client.root


def fresh(driver: webdriver.Chrome, root: str, shots: Path) -> Browser:
    """Return a browser that nobody has logged in with."""
    driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    return Browser(driver, root, shots)


@pytest.fixture
def browser(driver: webdriver.Chrome, root: str, shots: Path) -> Browser:
    return fresh(driver, root, shots)


@pytest.fixture
def alone(driver: webdriver.Chrome, shots: Path) -> Iterator[Browser]:
    """A browser on a server of its own."""
    with served() as own:
        yield fresh(driver, own, shots)


def text(browser: Browser, selector: str = "main") -> str:
    return browser.driver.find_element(By.CSS_SELECTOR, selector).text


def log_in(browser: Browser, token: str, after: str) -> None:
    """Log in as somebody who begins at a page, and come back to it."""
    browser.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    browser.open(after, DESKTOP)
    browser.driver.find_element(By.LINK_TEXT, "log in").click()
    field = browser.driver.find_element(By.ID, "token")
    field.send_keys(token, Keys.ENTER)
    browser.shows("You are")


def resize(browser: Browser, size: tuple[int, int]) -> None:
    browser.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size == PHONE},
    )


def fits(browser: Browser, size: tuple[int, int]) -> bool:
    return bool(browser.run("return document.documentElement.scrollWidth") <= size[0])


@SIZES
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_quiet_and_fits_its_window(browser: Browser, name: str, size: tuple[int, int]) -> None:
    browser.open(PAGES[name], size)
    browser.shoot(name, size)
    assert [each for each in browser.complaints if "404" not in each] == []
    assert {url for url in browser.asked if not url.startswith((browser.root, "data:"))} == set()
    assert fits(browser, size)


@pytest.mark.demand("S-141")
@SIZES
@pytest.mark.parametrize("state", STATES)
def test_each_state_has_its_own_word_and_symbol(browser: Browser, state: str, size: tuple[int, int]) -> None:
    verdict, word = STATES[state]
    browser.open(f"/item/{gated.BUILDS[state]}", size)
    gate = browser.driver.find_element(By.CSS_SELECTOR, ".gate")
    assert gate.find_element(By.CSS_SELECTOR, "h3 .mark").text.split(maxsplit=1)[1] == verdict
    marks = [each.text.split(maxsplit=1) for each in gate.find_elements(By.CSS_SELECTOR, ".block h4 .mark")]
    if word is None:
        assert "no policy is for koji_build of rhel-9" in gate.text.lower()
        return
    assert word in [said for _, said in marks]
    assert all(symbol and said for symbol, said in marks)
    assert (
        gate.find_element(By.CSS_SELECTOR, "svg.progress")
        .get_attribute("aria-label")
        .startswith(  # type: ignore[union-attr]
            text(browser, ".gate .summary")[:1].lower()
        )
    )
    assert "policies/fedora.yaml:" in gate.text
    if state == "waived":
        assert "failed and waived: W-1 by dev1" in " ".join(gate.text.split())


@SIZES
def test_the_history_of_what_fails_is_told_in_words_and_leads_to_its_items(
    browser: Browser, size: tuple[int, int]
) -> None:
    browser.open(f"/item/{FAILED}", size)
    block = browser.driver.find_element(By.CSS_SELECTOR, ".block")
    pips = block.find_elements(By.CSS_SELECTOR, "ol.strip li")
    assert len(pips) == 20
    assert pips[-1].find_element(By.CSS_SELECTOR, ".pip").get_attribute("title").startswith("FAILED bash")  # type: ignore[union-attr]
    assert "The last 20:" in block.text
    assert fits(browser, size)
    browser.driver.find_element(By.LINK_TEXT, "Ask for a waiver").click()
    browser.shows("What it would do")
    assert "/waiver/-/new?" in browser.driver.current_url


@pytest.mark.demand("S-063", "S-064", "S-076", "S-077")
@SIZES
def test_one_asks_and_cannot_approve_another_sees_the_effect_and_approves(
    alone: Browser, size: tuple[int, int]
) -> None:
    browser, build = alone, {DESKTOP: gated.BUILDS["errored"], PHONE: gated.BUILDS["missing"]}[size]
    new = f"/waiver/-/new?subject={build}&testcase={gated.BOOT}&product_version=fedora-40"
    log_in(browser, gated.DEV, new)
    resize(browser, size)
    assert browser.driver.find_element(By.ID, "subject").get_attribute("value") == build
    effect = " ".join(text(browser, "ul.effects").split())
    assert "becomes ✔ GO bodhi_update_push_stable of fedora-40" in effect
    browser.driver.find_element(By.ID, "comment").send_keys("The lab burnt down, bug 4712.")
    browser.shoot("waiver-form", size)
    assert fits(browser, size)
    browser.driver.find_element(By.CSS_SELECTOR, "button[value=request]").send_keys(Keys.ENTER)
    browser.shows("is requested")
    assert "You cannot approve it: nobody approves their own waiver" in text(browser)
    assert not browser.driver.find_elements(By.CSS_SELECTOR, "button[value=approve]")
    browser.shoot("waiver-asker", size)
    page = browser.driver.current_url.removeprefix(browser.root).partition("?")[0]

    browser.open("/inbox", size)
    assert "Not for you: nobody approves their own waiver" in text(browser)
    log_in(browser, gated.RM, "/inbox")
    resize(browser, size)
    browser.shoot("inbox-approver", size)
    assert fits(browser, size)
    name = page.rpartition("/")[2]
    browser.driver.find_element(By.LINK_TEXT, f"Decide about {name}").click()
    browser.shows("What approving it would do")
    browser.driver.find_element(By.ID, "comment").send_keys("Seen it, bug 4712.")
    browser.shoot("waiver-approver", size)
    assert fits(browser, size)
    browser.driver.find_element(By.CSS_SELECTOR, "button[value=approve]").send_keys(Keys.ENTER)
    browser.shows("is approved")
    browser.shoot("waiver-approved", size)
    assert fits(browser, size)

    browser.open(f"/item/{build}", size)
    gate = browser.driver.find_element(By.CSS_SELECTOR, ".gate")
    assert "GO" in gate.find_element(By.CSS_SELECTOR, "h3").text
    told = " ".join(gate.text.split())
    assert f"waived: {name} by dev1, approved by rm1" in told
    assert "The lab burnt down, bug 4712." in told
    browser.shoot("item-approved", size)
    assert fits(browser, size)


@pytest.mark.parametrize("name", ["item-failed", "item-waived", "inbox", "waiver-new", "compare", "policies"])
def test_dark_mode_is_dark(browser: Browser, name: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": "dark"}]
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    try:
        browser.open(PAGES[name], PHONE)
        browser.shoot(f"{name}-dark", PHONE)
        page = browser.run("return getComputedStyle(document.body).backgroundColor")
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert page == "rgb(18, 23, 29)"
