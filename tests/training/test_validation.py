"""Validation leaves no trace in the model."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from spikeline.errors import DataError
from spikeline.training import validate
from tests.training.toy import Toy, ToyBatches, toy


def test_modes_and_generators_are_given_back() -> None:
    module = toy()
    module.train()
    module.net[1].eval()  # frozen on purpose
    generator = torch.get_rng_state()

    def validation(model: Any) -> dict[str, float]:
        assert not any(part.training for part in model.modules())
        return {"drawn": torch.rand(1).item()}

    first, second = (validate(module, validation, seed=1, name="toy") for _ in range(2))
    assert first == second
    assert torch.equal(generator, torch.get_rng_state())
    assert module.training and module.net[2].training and not module.net[1].training


def test_metrics_are_means_over_batches() -> None:
    batches = [ToyBatches().batch(step) for step in (1, 2)]
    single = [validate(toy(), [batch], seed=1, name="toy")["error"] for batch in batches]
    assert validate(toy(), batches, seed=1, name="toy")["error"] == pytest.approx(sum(single) / 2)


@pytest.mark.parametrize("returned", [None, {}, 3.0, {"a": torch.zeros(2)}, {"a": "text"}])
def test_what_is_no_mapping_of_numbers(returned: Any) -> None:
    class Odd(Toy):
        def validation_step(self, batch: Any, index: int) -> Any:
            return returned

    with pytest.raises(DataError, match=r"Odd\.validation_step returned"):
        validate(Odd(), [ToyBatches().batch(0)], seed=1, name="toy")


def test_names_that_change() -> None:
    class Odd(Toy):
        def validation_step(self, batch: Any, index: int) -> Any:
            return {f"error {index}": 0.0}

    with pytest.raises(DataError, match="different names"):
        validate(Odd(), [ToyBatches().batch(0)] * 2, seed=1, name="toy")
