"""People waive in the form of WaiverDB's API, in a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from fake_server import serving
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from ci_results.config_auth import Auth

from .conftest import Browser

pytestmark = [
    pytest.mark.needs("chromium"),
    pytest.mark.skipif(
        not shutil.which("chromium") or not shutil.which("chromedriver"), reason="needs chromium"
    ),
    pytest.mark.timeout(120),
]
FILLED = (
    "/api/v1.0/waivers/new?subject_type=koji_build&subject_identifier=bash-5.2-1.fc40"
    "&testcase=dist.rpmlint&comment=infra"
)


@pytest.fixture
def page(driver: webdriver.Chrome, shots: object) -> Iterator[Browser]:
    with serving(Auth()) as client:
        yield Browser(driver, client.root, shots)  # type: ignore[arg-type]


def said(browser: Browser, banner: str) -> str:
    element = browser.driver.find_element(By.ID, banner)
    WebDriverWait(browser.driver, 20).until(lambda _driver: element.is_displayed())
    return element.text


def test_the_form_waives_and_says_under_which_number(page: Browser) -> None:
    page.open(FILLED)
    find = page.driver.find_element
    find(By.ID, "claimed").send_keys("žofie")
    find(By.ID, "product_version").send_keys("fedora-40")
    find(By.CSS_SELECTOR, "#new-waiver-form button").click()
    assert said(page, "waiver-result") == "New waiver created. ID: 1"
    find(By.ID, "comment").clear()
    find(By.ID, "testcase").send_keys("x" * 1_100)
    find(By.ID, "comment").send_keys("again")
    find(By.CSS_SELECTOR, "#new-waiver-form button").click()
    assert "testcase: String should have at most 1024 characters" in said(page, "other-error")
    assert not find(By.ID, "waiver-result").is_displayed()
    assert page.complaints == []
    assert all(url.startswith((page.root, "data:")) for url in page.asked)
