"""A waiver for an advisory, an image or a product is good for that one alone."""

from __future__ import annotations

import pytest

from .conftest import ANNA, Browser, House


def satisfied(house: House, context: str, item: str, **more: object) -> bool:
    return bool(house.decide(context, item, **more)["policies_satisfied"])


@pytest.mark.demand("S-067")
def test_a_waiver_for_an_advisory_is_not_good_for_another_with_the_same_build(house: House) -> None:
    build = "openssl-3.2.1-2.fc40"
    house.report("dist.rpmlint", "PASSED", build)
    house.report("baseos.boot", "FAILED", build)
    Browser(house, ANNA).ask(build, "baseos.boot", purpose="advisory:RHSA-2017:1234")
    assert satisfied(house, "push", build, purpose="advisory:RHSA-2017:1234")
    assert not satisfied(house, "push", build, purpose="advisory:RHSA-2017:9999")
    assert not satisfied(house, "push", build)


@pytest.mark.demand("S-068")
def test_a_waiver_for_an_image_is_not_good_for_another(house: House) -> None:
    image = "Fedora-Cloud-40-20260301.0"
    for flavour, outcome in (("qcow2", "PASSED"), ("vagrant-libvirt", "FAILED")):
        house.report("compose.autocloud", outcome, image, type="compose", scenario=f"x86_64.{flavour}")
    Browser(house, ANNA).ask(
        image, "compose.autocloud", subject_type="compose", purpose="image:ami-0123456789abcdef0"
    )
    upload = {"context": "image_upload", "item": image, "kind": "compose"}
    assert satisfied(house, **upload, purpose="image:ami-0123456789abcdef0")
    assert not satisfied(house, **upload, purpose="image:ami-0fedcba9876543210")
    assert not satisfied(house, **upload)


@pytest.mark.demand("S-069")
def test_a_waiver_for_a_product_is_not_good_for_another(house: House) -> None:
    build = "tool-1.0-1"
    house.report("dist.rpmlint", "PASSED", build)
    house.report("baseos.boot", "FAILED", build)
    Browser(house, ANNA).ask(build, "baseos.boot", product_version="rhel-7", purpose="product:rhel-7")
    assert satisfied(house, "push", build, product_version="rhel-7")
    assert not satisfied(house, "push", build, product_version="rhel-8")
