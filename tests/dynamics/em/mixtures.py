"""Mixtures and trajectories that engines are tried on."""

from __future__ import annotations

import numpy as np

from spikeline.artifacts import seed_stream
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.simulated.generator import random_system, simulate_mixture
from spikeline.dynamics.systems import LinearSystem
from spikeline.dynamics.trajectories import Trajectories

SIZES = [(2, 1, 1), (3, 2, 2), (2, 1, 5), (4, 0, 3), (1, 2, 3)]


def positive(draw: np.random.Generator, n: int) -> np.ndarray:
    """A covariance that is far from diagonal."""
    root = draw.normal(size=(n, n))
    return root @ root.T + 0.1 * np.eye(n)


def system_of(draw: np.random.Generator, n: int, m: int, q: int) -> LinearSystem:
    """A random system with full covariances and a first state of its own."""
    base = random_system(n, max(m, 1), q, draw)
    first, B, D = draw.normal(size=n), base.B[:, :m], base.D[:, :m]
    return LinearSystem(base.A, B, base.C, D, 0.1 * positive(draw, n), positive(draw, q), first, positive(draw, n))


def mixture_of(seed: int, n: int, m: int, q: int, components: int = 3) -> Mixture:
    """Components of unequal weights."""
    draw = seed_stream(seed, "test-engine-systems")
    weights = 1.0 + np.arange(components)
    return Mixture(tuple(system_of(draw, n, m, q) for _ in range(components)), weights / weights.sum())


def data_of(mixture: Mixture, seed: int, n: int, steps: int, lengths: np.ndarray | None = None) -> Trajectories:
    """Trajectories of the mixture, of these lengths; NaN beyond them."""
    draw = seed_stream(seed, "test-engine-data")
    data = simulate_mixture(mixture.systems, mixture.weights, n, steps, draw)
    if lengths is None:
        return data
    inputs, outputs = data.inputs.copy(), data.outputs.copy()
    cut = Trajectories(inputs, outputs, lengths.astype(np.int64))
    inputs[~cut.inside()], outputs[~cut.inside()] = np.nan, np.nan
    return cut


def any_system(seed: int, n: int, m: int, q: int) -> LinearSystem:
    """One whose numbers a seed decides."""
    return system_of(seed_stream(seed, "test-any-system"), n, m, q)
