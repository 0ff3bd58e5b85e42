"""Names of plans that nobody has, whatever they are, on every store."""

from __future__ import annotations

import pytest

from ci_results.store.protocol import Store

from .places import serving


@pytest.mark.parametrize(
    ("path", "status"),
    [("plans/a%00b", 404), ("status?plan=a%00b", 404), ("status?item=a%00b&type=%00", 200)],
)
def test_a_name_with_nul_is_nobodys(store: Store, path: str, status: int) -> None:
    with serving(store) as api:
        assert api.get(f"//api/ci/v1/manual/{path}").status_code == status
