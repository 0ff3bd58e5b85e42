"""Manual tests in a real browser: somebody finds the testcase, records what they found, and sees it count."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from ci_results.domain.plan import Plan, PlanCase
from ci_results.operations.manual import Finding, record
from ci_results.store.sqlite import SqliteStore

from .conftest import DESKTOP, PHONE, Browser, start

pytestmark = [
    pytest.mark.needs("chromium"),
    pytest.mark.skipif(
        not shutil.which("chromium") or not shutil.which("chromedriver"), reason="needs chromium"
    ),
    pytest.mark.timeout(120),
]
ITEM = "Fedora-44-20260301.0"
PAGE = f"/manual/beta/{ITEM}"
TITLES = ("Log in", "Print a page", "Hear a sound", "Suspend and wake", "Change the language", "Shut down")
OUTCOMES = ("PASSED", "PASSED", "FAILED", "INFO", "NEEDS_INSPECTION")


@pytest.fixture
def browser(driver: webdriver.Chrome, shots: Path, tmp_path: Path) -> Iterator[Browser]:
    """A browser on a server with a plan that is half done, and one that nobody has begun."""
    path = tmp_path / "results.db"
    cases = tuple(
        PlanCase(
            testcase=f"desktop.{title.lower().replace(' ', '-')}",
            title=title,
            steps=f"1. Boot the image.\n2. {title}.",
            owner="desktop-qe",
            ref_url="https://wiki.example/QA:Testcase",
        )
        for title in TITLES
    )
    with SqliteStore.open(path) as store:
        store.save_plan(Plan(name="beta", item_type="compose", item=ITEM, cases=cases), "jdoe", before=0)
        every = Plan(name="final", item_type="compose", item="Fedora-44-*", cases=cases[:1])
        store.save_plan(every, "jdoe", before=0)
        for case, outcome in zip(cases[1:], OUTCOMES, strict=True):
            said = Finding(
                testcase=case.testcase, item=ITEM, item_type="compose", outcome=outcome, actor="alice",
                verified=outcome == "PASSED", comment=f"{case.title}: seen twice.",
                ref_url="https://bugs.example/4711",
            )  # fmt: skip
            record(said, store)
    server = start(path)
    root = next(server)
    driver.get(f"{root}/manual")
    driver.delete_all_cookies()
    yield Browser(driver, root, shots)
    next(server, None)


def recorded(browser: Browser) -> str:
    """Wait for the page that says what was recorded; return its words on progress."""
    WebDriverWait(browser.driver, 10).until(
        lambda driver: driver.find_elements(By.CSS_SELECTOR, "p.done"), "nothing was recorded"
    )
    return browser.driver.find_element(By.CSS_SELECTOR, ".standing").text


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("name", ["manual", "manual-plan", "manual-item", "manual-missing"])
def test_a_page_is_quiet_and_fits_its_window(browser: Browser, name: str, size: tuple[int, int]) -> None:
    paths = {
        "manual": "/manual",
        "manual-plan": "/manual/beta",
        "manual-item": PAGE,
        "manual-missing": "/manual/x",
    }
    browser.open(paths[name], size)
    browser.shoot(name, size)
    assert [each for each in browser.complaints if "404" not in each] == []
    assert {url for url in browser.asked if not url.startswith((browser.root, "data:"))} == set()
    assert browser.run("return document.documentElement.scrollWidth") <= size[0]


@pytest.mark.demand("S-133", "S-135")
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_somebody_records_with_keys_alone_and_sees_it_count(browser: Browser, size: tuple[int, int]) -> None:
    browser.open(PAGE, size)
    assert "4 of 6 done" not in browser.driver.find_element(By.CSS_SELECTOR, ".standing").text
    summary = browser.driver.find_element(By.CSS_SELECTOR, "#case-1 details.recording summary")
    summary.send_keys(Keys.ENTER)
    fields = browser.driver.switch_to
    browser.driver.find_element(By.CSS_SELECTOR, "#case-1 input[value=FAILED]").send_keys(Keys.SPACE)
    fields.active_element.send_keys(Keys.TAB)
    fields.active_element.send_keys("Žofie", Keys.TAB)
    fields.active_element.send_keys("The screen stays black.\nAgain.", Keys.TAB)
    fields.active_element.send_keys("https://bugs.example/4712")
    browser.shoot("manual-form", size)
    fields.active_element.send_keys(Keys.TAB)
    fields.active_element.send_keys(Keys.ENTER)
    assert recorded(browser).endswith("6 of 6 done (100 %): 2 passed, 1 info, 2 failed, 1 to inspect")
    browser.shoot("manual-recorded", size)
    assert browser.run("return location.hash") == "#case-1"
    case = browser.driver.find_element(By.ID, "case-1").text
    assert "FAILED" in case
    assert "Žofie (not verified)" in case
    assert "The screen stays black." in case
    assert browser.run("return document.documentElement.scrollWidth") <= size[0]


def test_the_browser_sends_nothing_without_an_outcome(browser: Browser) -> None:
    browser.open(PAGE)
    browser.driver.find_element(By.CSS_SELECTOR, "#case-1 details.recording summary").click()
    browser.driver.find_element(By.ID, "actor-1").send_keys("alice", Keys.ENTER)
    assert browser.run("return document.querySelector('#case-1 form').checkValidity()") is False
    assert browser.driver.current_url == browser.root + PAGE


def test_what_is_refused_is_shown_with_what_was_written(browser: Browser) -> None:
    browser.open(PAGE, PHONE)
    browser.driver.find_element(By.CSS_SELECTOR, "#case-1 details.recording summary").click()
    browser.driver.find_element(By.CSS_SELECTOR, "#case-1 input[value=PASSED]").click()
    browser.driver.find_element(By.ID, "actor-1").send_keys("alice")
    browser.driver.find_element(By.ID, "comment-1").send_keys("do not lose me")
    browser.driver.find_element(By.ID, "link-1").send_keys("bug 4711", Keys.ENTER)
    WebDriverWait(browser.driver, 10).until(
        lambda driver: driver.find_elements(By.CSS_SELECTOR, "[role=alert]")
    )
    browser.shoot("manual-refused", PHONE)
    assert "not http or https" in browser.driver.find_element(By.CSS_SELECTOR, "[role=alert]").text
    assert browser.driver.find_element(By.ID, "comment-1").get_attribute("value") == "do not lose me"
    assert browser.driver.find_element(By.ID, "comment-1").is_displayed()


def test_dark_mode_keeps_the_form_readable(browser: Browser) -> None:
    features = [{"name": "prefers-color-scheme", "value": "dark"}]
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    try:
        browser.open(PAGE, PHONE)
        browser.driver.find_element(By.CSS_SELECTOR, "#case-1 details.recording summary").click()
        browser.shoot("manual-dark", PHONE)
        painted = browser.run("return getComputedStyle(document.querySelector('#comment-1')).backgroundColor")
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert painted != "rgb(255, 255, 255)"
