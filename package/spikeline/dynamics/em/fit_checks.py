"""Whether a mixture can be fitted to trajectories at all."""

from __future__ import annotations

import numpy as np

from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError

__all__ = ["check_fit"]

_LARGEST = 1e100


def check_fit(trajectories: Trajectories, mixture: Mixture) -> None:
    """Compare trajectories with the mixture that is to be fitted.

    Raises
    ------
    DataError
        If their sizes differ, an output never changes, was never observed or is enormous, or there are too few
        trajectories or steps.
    """
    sizes = (trajectories.n_inputs, trajectories.n_outputs)
    if sizes != (mixture.n_inputs, mixture.n_outputs):
        raise DataError(
            f"trajectories of {sizes[0]} inputs and {sizes[1]} outputs, and systems of {mixture.n_inputs} and "
            f"{mixture.n_outputs}",
            "the same numbers",
            "start from systems that were made for these trajectories",
        )
    if len(trajectories) < mixture.n_components:
        raise DataError(
            f"{len(trajectories)} trajectories for {mixture.n_components} components",
            "at least as many trajectories as components",
            "take more trajectories, or fewer components",
        )
    unknowns = mixture.n_states + mixture.n_inputs
    moves = int((trajectories.lengths - 1).sum())
    if moves < unknowns:
        raise DataError(
            f"{len(trajectories)} trajectories with {moves} steps that have a next one, together",
            f"at least {unknowns}, for {mixture.n_states} states and {mixture.n_inputs} inputs",
            "take longer or more trajectories, or fewer states",
        )
    seen = trajectories.known()
    for output in range(trajectories.n_outputs):
        values = trajectories.outputs[..., output][seen[..., output]]
        if not len(values):
            raise DataError(f"output {output} was never observed", "observed values of every output", "leave it out")
        largest = float(np.abs(values).max())
        if largest > _LARGEST:
            raise DataError(
                f"output {output} reaches {largest:.3g}",
                f"numbers whose squares can be summed, up to {_LARGEST:.0g}",
                "scale the outputs to unit variance",
            )
        if values.min() == values.max():
            raise DataError(
                f"output {output} is {values[0]:.6g} in every step: its variance is zero",
                "outputs that change",
                "leave that output out",
            )
