"""What every store must do about plans of manual tests; part of StoreContract."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from ..domain.observation import Observation
from ..domain.page import Page
from ..domain.plan import Plan, PlanCase, PlanVersion
from ..errors import InvalidError, NotFoundError, StaleError
from ..normalise.normaliser import Normaliser
from ..store.protocol import Store

LOGIN = PlanCase(
    testcase="desktop.login", title="Log in", steps="Boot.\n\nLog in, as 'žluť'.", owner="desktop-qe",
    contact="desktop-qe@lists.example", ref_url="https://wiki.example/QA:Testcase_login",
)  # fmt: skip
PLAN = Plan(
    name="beta", item_type="compose", item="Fedora-44-20260301.0",
    cases=(LOGIN, PlanCase(testcase="desktop.print/color")),
)  # fmt: skip


class PlanRules:
    """Tests of a `store`; see StoreContract."""

    @pytest.mark.demand("S-133")
    def test_a_plan_comes_back_as_it_was_imported(self, store: Store) -> None:
        saved, new = store.save_plan(PLAN, "jdoe", before=0)
        assert (new, saved.plan, saved.version, saved.actor) == (True, PLAN, 1, "jdoe")
        assert saved.time.tzinfo is not None
        assert store.plan("beta") == saved
        assert store.plans() == store.plan_versions("beta") == [saved]
        assert store.check() == []

    @pytest.mark.demand("S-133")
    def test_a_change_is_a_new_version_and_the_old_one_stays(self, store: Store) -> None:
        first, _ = store.save_plan(PLAN, "jdoe", before=0)
        shorter = replace(PLAN, cases=PLAN.cases[:1])
        second, new = store.save_plan(shorter, "rm1", before=1)
        assert (new, second.version, second.actor) == (True, 2, "rm1")
        assert second.seq > first.seq
        assert store.plans() == [second]
        assert store.plan_versions("beta") == [second, first]
        assert store.plan("beta", 1) == first

    def test_a_plan_that_says_the_same_is_no_new_version(self, store: Store) -> None:
        first, _ = store.save_plan(PLAN, "jdoe", before=0)
        dump = list(store.dump())
        assert store.save_plan(PLAN, "rm1", before=0) == (first, False)
        assert list(store.dump()) == dump

    def test_the_order_of_testcases_is_kept_and_counts(self, store: Store) -> None:
        store.save_plan(PLAN, "jdoe", before=0)
        turned = replace(PLAN, cases=PLAN.cases[::-1])
        assert store.save_plan(turned, "jdoe", before=1)[1]
        assert store.plan("beta").plan.testcases == ("desktop.print/color", "desktop.login")

    def test_who_looked_at_an_older_version_looks_again(self, store: Store) -> None:
        store.save_plan(PLAN, "jdoe", before=0)
        with pytest.raises(StaleError, match="version 1 by now"):
            store.save_plan(replace(PLAN, item="Fedora-44-*"), "rm1", before=0)

    def test_of_imports_at_once_one_is_stored(self, store: Store) -> None:
        plans = [replace(PLAN, item=f"Fedora-44-2026030{n}.0") for n in range(8)]

        def save(plan: Plan) -> PlanVersion | None:
            try:
                return store.save_plan(plan, "jdoe", before=0)[0]
            except StaleError:
                return None

        with ThreadPoolExecutor(8) as pool:
            stored = list(filter(None, pool.map(save, plans)))
        assert [each.version for each in stored] == [1]
        assert store.plan_versions("beta") == stored

    def test_plans_and_results_share_one_order_of_commits(self, store: Store) -> None:
        normalise = Normaliser("ci", {})
        one, two = (
            normalise(Observation(key=key, testcase="ns.case", outcome="PASSED", item="x", item_type="plain"))
            for key in ("k1", "k2")
        )
        before = store.commit_page(Page(source="ci", results=[one], tell_ids=True))
        saved, _ = store.save_plan(PLAN, "jdoe", before=0)
        after = store.commit_page(Page(source="ci", results=[two], tell_ids=True))
        assert before.seq < saved.seq < after.seq
        assert after.ids[0] == before.ids[0] + 1
        assert store.check() == []

    def test_the_newest_plan_is_listed_first(self, store: Store) -> None:
        for name in ("alpha", "beta", "gamma"):
            store.save_plan(replace(PLAN, name=name), "jdoe", before=0)
        store.save_plan(replace(PLAN, name="alpha", cases=PLAN.cases[:1]), "jdoe", before=1)
        assert [each.plan.name for each in store.plans()] == ["alpha", "gamma", "beta"]
        assert [each.plan.name for each in store.plans(limit=1)] == ["alpha"]

    @pytest.mark.demand("S-134")
    def test_the_plans_that_apply_to_an_item_are_told_by_their_newest_versions(self, store: Store) -> None:
        for name, item in (
            ("one", PLAN.item),
            ("all", "Fedora-44-*"),
            ("other", "Fedora-43-*"),
            ("any", "*"),
        ):
            store.save_plan(replace(PLAN, name=name, item=item), "jdoe", before=0)
        store.save_plan(replace(PLAN, name="builds", item_type="koji_build", item="*"), "jdoe", before=0)
        store.save_plan(replace(PLAN, name="moved"), "jdoe", before=0)
        store.save_plan(replace(PLAN, name="moved", item="Fedora-43-20260301.0"), "jdoe", before=1)
        applying = store.plans_for("compose", PLAN.item)
        assert [each.plan.name for each in applying] == ["all", "any", "one"]
        assert {each.plan.testcases for each in applying} == {PLAN.testcases}
        assert store.plans_for("compose", "Rawhide-20260301.0") == [store.plan("any")]
        assert store.plans_for("ami", PLAN.item) == []

    def test_an_unknown_plan_is_not_found(self, store: Store) -> None:
        store.save_plan(PLAN, "jdoe", before=0)
        for name, version in (("gamma", None), ("beta", 2), ("beta", 0)):
            with pytest.raises(NotFoundError, match="ci-results manual plan list"):
                store.plan(name, version)
        assert store.plan_versions("gamma") == []

    @pytest.mark.parametrize("actor", ["", "a\0b", "\ud800", "x" * 256])
    def test_a_plan_of_nobody_is_refused(self, store: Store, actor: str) -> None:
        with pytest.raises(InvalidError):
            store.save_plan(PLAN, actor, before=0)
        assert store.plans() == []

    def test_the_dump_tells_of_plans(self, store: Store) -> None:
        store.save_plan(PLAN, "jdoe", before=0)
        assert [line for line in store.dump(portable=True) if '"fact":"plan"' in line]
