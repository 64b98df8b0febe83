"""Which problems EM is measured on: all sizes of a grid."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping

from spikeline.errors import DataError

__all__ = ["EM_PROBLEMS", "MAIN", "EMProblem", "em_problem"]


@dataclasses.dataclass(frozen=True)
class EMProblem:
    """Sizes of a benchmark of EM; D = 0, as in the preset ``complex``.

    Parameters
    ----------
    trajectories, steps
        N, T.
    states, outputs, inputs, components
        n, q, m, K.
    overlapping
        Start from components that are the same, so that all share in every trajectory, and go on to; else from the
        true matrices, each number wrong by about a tenth.
    """

    trajectories: int = 1000
    steps: int = 200
    states: int = 3
    outputs: int = 2
    inputs: int = 2
    components: int = 6
    overlapping: bool = False

    @property
    def name(self) -> str:
        """What tells it from others, in a report and as the name of a file."""
        sizes = f"N{self.trajectories}-{self.shape}"
        return f"{sizes}-overlapping" if self.overlapping else sizes

    @property
    def shape(self) -> str:
        """Its name without the number of trajectories, or where it starts: what a program is compiled for."""
        return f"T{self.steps}-n{self.states}-q{self.outputs}"

    @property
    def trajectory_steps(self) -> int:
        """N T."""
        return self.trajectories * self.steps

    @property
    def megabytes(self) -> float:
        """Of its inputs and outputs."""
        return 8e-6 * self.trajectory_steps * (self.inputs + self.outputs)


MAIN = EMProblem()
"""The preset ``complex``, 1000 trajectories of 200 steps: the headline."""

_GRID = [
    EMProblem(trajectories=trajectories, steps=steps, states=states, outputs=outputs)
    for trajectories, steps, states, outputs in itertools.product(
        (100, 1000, 10_000), (50, 200, 1000), (3, 10, 30), (2, 16, 64)
    )
]

EM_PROBLEMS: Mapping[str, EMProblem] = {
    # the smallest first, so that a run that is stopped has measured the most
    problem.name: problem
    for problem in sorted(
        [*_GRID, EMProblem(overlapping=True)],
        key=lambda problem: problem.trajectory_steps * (problem.states + problem.outputs),
    )
}
"""By name: each combination of sizes, and the headline's from a start at which all components share everything."""


def em_problem(name: str) -> EMProblem:
    """The problem of that name.

    Raises
    ------
    DataError
        If there is none.
    """
    if name not in EM_PROBLEMS:
        raise DataError(f"no problem {name!r}", f"a name like {MAIN.name}", "take one of EM_PROBLEMS")
    return EM_PROBLEMS[name]
