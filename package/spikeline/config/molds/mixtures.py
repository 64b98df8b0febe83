"""Settings of the mixtures that MoLDS is tried on: three presets, and what differs from them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import model_validator

from spikeline.config.base import FiniteFloat, Settings, setting

__all__ = ["MIXTURE_PRESETS", "MixtureSettings"]

# Sizes are those of the papers; weights, noise and unit impulse energy are ours (the papers' were not available to us).
MIXTURE_PRESETS: dict[str, dict[str, Any]] = {
    "simple": {
        "n_components": 3,
        "n_states": 2,
        "n_inputs": 1,
        "n_outputs": 1,
        "feedthrough": True,
        "process_noise": 0.01,
        "observation_noise": 0.05,
        "weights": [0.25, 0.35, 0.4],
    },
    "complex": {
        "n_components": 6,
        "n_states": 3,
        "n_inputs": 2,
        "n_outputs": 2,
        "feedthrough": False,
        "process_noise": 0.01,
        "observation_noise": 0.05,
        "weights": [0.1, 0.12, 0.15, 0.18, 0.2, 0.25],
    },
    "rd": {
        "n_components": 3,
        "n_states": 3,
        "n_inputs": 1,
        "n_outputs": 1,
        "feedthrough": True,
        "process_noise": 0.01,
        "observation_noise": 0.05,
        "weights": [0.25, 0.35, 0.4],
    },
}


class MixtureSettings(Settings):
    """Random systems of unit impulse energy and spectral radius 0.6 to 0.9."""

    preset: Literal["simple", "complex", "rd"] = setting(
        "simple",
        description="simple: 3 components of 2 states, one input and output. complex: 6 of 3 states, two inputs and "
        "outputs, no feedthrough (both of Gong and Saxena). rd: 3 of 3 states, one input and output (Rui and Dahleh). "
        "Noise and weights are ours; a key below that is not null replaces the preset's.",
    )
    n_components: int | None = setting(None, description="Components of the mixture; null: the preset's.", ge=1, le=50)
    n_states: int | None = setting(None, description="States of each; null: the preset's.", ge=1, le=50)
    n_inputs: int | None = setting(None, description="Inputs; null: the preset's.", ge=1, le=50)
    n_outputs: int | None = setting(None, description="Outputs; null: the preset's.", ge=1, le=200)
    feedthrough: bool | None = setting(
        None, description="Whether inputs reach the outputs of the same step (D); null: as in the preset."
    )
    process_noise: FiniteFloat | None = setting(
        None, description="Variance of each state's noise: Q is this times the identity; null: the preset's.", gt=0
    )
    observation_noise: FiniteFloat | None = setting(
        None, description="Variance of each output's noise: R is this times the identity; null: the preset's.", gt=0
    )
    weights: list[FiniteFloat] | None = setting(
        None,
        description="Probability of each component, sum 1; null: the preset's, or equal ones where the number of "
        "components is another.",
    )

    @model_validator(mode="after")
    def _weights_are_probabilities(self) -> MixtureSettings:
        weights = self.weights
        if weights is None:
            return self
        if min(weights, default=0.0) <= 0 or abs(sum(weights) - 1) > 1e-9:
            raise ValueError(f"weights = {weights}: numbers above 0 of sum 1")
        components = self.size("n_components")
        if len(weights) != components:
            raise ValueError(f"weights has {len(weights)} numbers, and there are {components} components")
        return self

    def size(self, key: str) -> Any:
        """A key's own value, or the preset's."""
        own = getattr(self, key)
        return MIXTURE_PRESETS[self.preset][key] if own is None else own

    def weights_of(self, n_components: int) -> list[float]:
        """Probabilities of this many components."""
        weights = self.size("weights")
        return list(weights) if len(weights) == n_components else [1 / n_components] * n_components
