"""What Autocloud's messages say; the samples are ours, of the shapes that its buses carried until 2020."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ci_results_autocloud import AutocloudMessages, MessageOptions

from ci_results import Envelope, Garbled, Observation, open_message, read_message
from ci_results.testing import MessageContract

SAMPLES = Path(__file__).parent / "messages"


class TestAutocloudMessages(MessageContract):
    messages = AutocloudMessages()
    samples = SAMPLES


def read(name: str, body: dict[str, Any] | None = None, **options: Any) -> Observation | Garbled:
    raw = (SAMPLES / f"{name}.json").read_bytes()
    envelope = open_message(raw)
    if body is not None:
        envelope = Envelope(topic=envelope.topic, body={**envelope.body, **body})
    (seen,) = read_message(AutocloudMessages(), MessageOptions(**options), envelope, raw)
    return seen


def observed(name: str, body: dict[str, Any] | None = None, **options: Any) -> Observation:
    seen = read(name, body, **options)
    assert isinstance(seen, Observation)
    return seen


def refused(name: str, body: dict[str, Any] | None = None) -> str:
    seen = read(name, body)
    assert isinstance(seen, Garbled)
    return seen.reason


@pytest.mark.demand("S-080")
@pytest.mark.parametrize(
    ("name", "outcome", "item", "scenario"),
    [
        ("image-success", "success", "Fedora-Cloud-Base-31-20191002.n.0.x86_64.qcow2", "x86_64.qcow2"),
        (
            "image-failed",
            "failed",
            "Fedora-Atomic-Vagrant-31-20191002.n.0.x86_64.vagrant-libvirt.box",
            "x86_64.vagrant-libvirt",
        ),
        ("image-running", "running", "Fedora-Cloud-Base-31-20191002.n.0.aarch64.raw.xz", "aarch64.raw-xz"),
        (
            "image-aborted-quoting-slip",
            "aborted",
            "Fedora-Cloud-Base-31-20191002.n.0.x86_64.qcow2",
            "x86_64.qcow2",
        ),
        ("image-2015-failed", "failed", "Fedora-Cloud-Base-23-20150901.i386.qcow2", "i386.qcow2"),
    ],
)
def test_an_image_is_an_item_and_its_kind_a_scenario(
    name: str, outcome: str, item: str, scenario: str
) -> None:
    seen = observed(name)
    assert (seen.testcase, seen.item_type) == ("compose.autocloud", "compose")
    assert (seen.outcome, seen.item, seen.scenario) == (outcome, item, scenario)
    assert seen.arch == scenario.partition(".")[0]


@pytest.mark.demand("S-080")
def test_the_testcase_is_an_option() -> None:
    assert observed("image-success", testcase="compose.cloud.all").testcase == "compose.cloud.all"
    assert observed("compose-complete", compose_testcase="a.b").testcase == "a.b"


@pytest.mark.parametrize(
    ("name", "link"),
    [
        ("image-success", "https://apps.fedoraproject.org/autocloud/jobs/501/output"),
        ("image-running", "https://apps.stg.fedoraproject.org/autocloud/jobs/503/output"),
        ("image-2015-running", None),
        ("compose-queued", "https://apps.fedoraproject.org/autocloud/jobs/41"),
    ],
)
def test_a_result_links_to_the_page_of_its_job(name: str, link: str | None) -> None:
    assert observed(name).ref_url == link


def test_the_site_of_the_pages_is_an_option() -> None:
    seen = observed("image-success", site="https://cloud.example/")
    assert seen.ref_url == "https://cloud.example/jobs/501/output"


def test_all_messages_of_a_job_share_a_key_and_two_autoclouds_none() -> None:
    assert observed("image-success", {"job_id": 505}).key == observed("image-queued").key == "prod/job/505"
    assert observed("image-running").key == "stg/job/503"


def test_a_job_is_known_by_its_compose() -> None:
    assert observed("image-success").data["productmd.compose.id"] == "Fedora-31-20191002.n.0"


@pytest.mark.parametrize(
    ("name", "outcome", "note"),
    [
        ("compose-queued", "queued", None),
        ("compose-complete", "success", "5 images tested, 0 failed"),
        ("compose-complete-one-failed", "failed", "6 images tested, 1 failed"),
        ("compose-complete-nothing", "nothing tested", "0 images tested, 0 failed"),
    ],
)
def test_a_compose_is_as_good_as_its_images(name: str, outcome: str, note: str | None) -> None:
    seen = observed(name)
    assert (seen.outcome, seen.note) == (outcome, note)
    assert AutocloudMessages.outcomes[seen.outcome] == {
        "queued": "QUEUED", "success": "PASSED", "failed": "FAILED", "nothing tested": "NEEDS_INSPECTION",
    }[outcome]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("image-disagreeing", {}, "the topic says success, the body failed"),
        ("image-success", {"status": None}, "status is missing"),
        ("image-success", {"compose_url": ""}, "compose_url is missing"),
        ("image-success", {"job_id": True}, "job_id is missing or no number"),
        ("image-success", {"job_id": 1.5}, "job_id is missing or no number"),
        ("compose-2016-nameless", {}, "compose_id is missing"),
        ("compose-complete", {"results": {"success": 5}}, "failed is missing"),
        ("compose-complete", {"results": {"success": 5, "failed": -1}}, "failed is missing or no number"),
        ("compose-complete", {"results": None}, "success is missing"),
    ],
)
def test_what_is_not_clear_is_not_guessed(name: str, body: dict[str, Any], reason: str) -> None:
    assert reason in refused(name, body)


@pytest.mark.parametrize(
    "topic",
    [
        "org.fedoraproject.prod.autocloud",
        "org.fedoraproject.prod.notautocloud.image.success",
        "autocloud.image",
    ],
)
def test_topics_of_others_are_left_to_them(topic: str) -> None:
    assert not AutocloudMessages().recognises(Envelope(topic=topic, body={}))
