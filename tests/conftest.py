"""Array annotations are checked in every test, unless it is marked ``wrong_arrays``."""

from __future__ import annotations

from collections.abc import Iterator

import jaxtyping
import pytest

from tests.array_checking import check_arrays_on_import

check_arrays_on_import("spikeline.simulation", "spikeline.sorting")


@pytest.fixture(autouse=True)
def _checked_arrays(request: pytest.FixtureRequest) -> Iterator[None]:
    jaxtyping.config.update("jaxtyping_disable", request.node.get_closest_marker("wrong_arrays") is not None)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
