"""Array annotations are checked in every test, unless it is marked ``wrong_arrays``."""

from __future__ import annotations

from collections.abc import Iterator

import jaxtyping
import pytest

from tests.array_checking import check_arrays_on_import

check_arrays_on_import("spikeline.dynamics", "spikeline.simulation", "spikeline.sorting")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole workflows first: they take longest, and parallel workers end together if the rest is short tests."""
    items.sort(key=lambda item: item.get_closest_marker("workflow") is None)


@pytest.fixture(autouse=True)
def _checked_arrays(request: pytest.FixtureRequest) -> Iterator[None]:
    jaxtyping.config.update("jaxtyping_disable", request.node.get_closest_marker("wrong_arrays") is not None)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
