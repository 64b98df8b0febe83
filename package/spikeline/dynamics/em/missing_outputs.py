"""The E-step where outputs are missing: every trajectory has covariances of its own.

A filter step uses the outputs that were observed, o, and their rows of C, D and R. For the M-step the missing ones, m,
are hidden like the states: given the state and what was observed at the same step, with G = R_mo R_oo^-1,

    E y_m = C_m x + D_m u + G (y_o - C_o x - D_o u),        Cov y_m = R_mm - G R_om,

so that y = H x + h + noise with H = C_m - G C_o in the missing rows and zero in the others, and with V the smoothed
covariance of x

    E y x' = E[y] E[x]' + H V,        E y y' = E[y] E[y]' + H V H' + Cov y_m.

Steps at which nothing was observed say nothing of C, D and R and are left out of their sums.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.em.expectation import Expectation, responsibilities_of
from spikeline.dynamics.em.missing_outputs_kernels import block_statistics
from spikeline.dynamics.em.shared_work import default_threads
from spikeline.dynamics.em.sufficient_statistics import SufficientStatistics
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.trajectories import Trajectories

__all__ = ["MissingOutputsEngine"]

_BLOCK = 16  # trajectories of one task; decides the order of sums, hence no setting
_MATRICES = ("A", "B", "C", "D", "Q", "R", "mu", "S")


class MissingOutputsEngine:
    """E-steps on trajectories of which outputs are missing, each with its own recursions, in compiled code.

    Parameters
    ----------
    trajectories
        Lengths may differ, and any outputs may be missing.
    n_threads
        None: `spikeline.dynamics.em.shared_work.default_threads`. Changes no result.
    """

    def __init__(self, trajectories: Trajectories, n_threads: int | None = None) -> None:
        self._n_threads = n_threads or default_threads()
        self._lengths = trajectories.lengths
        self._seen = trajectories.known()
        self._outputs = np.where(self._seen, trajectories.outputs, 0.0)
        self._inputs = np.where(trajectories.inside()[..., None], trajectories.inputs, 0.0)
        self._steps_seen = self._seen.any(axis=2).sum(axis=1)

    def expectation(self, mixture: Mixture) -> Expectation:
        """The E-step under a mixture."""
        N, K = len(self._lengths), mixture.n_components
        each, responsibilities = np.empty(N), np.empty((N, K))
        shapes = _shapes(mixture.n_states, mixture.n_inputs, mixture.n_outputs)
        total = np.zeros((K, sum(int(np.prod(shape)) for shape in shapes.values())))
        for part, log_likelihoods, packed in self._blocks(mixture, total.shape[1]):
            each[part], responsibilities[part] = responsibilities_of(log_likelihoods, mixture.weights)
            total += np.einsum("bk,bks->ks", responsibilities[part], packed)
        moves = self._lengths - 1
        statistics = []
        for k in range(K):
            own = responsibilities[:, k]
            counts = {"n_next": moves @ own, "n_all": self._steps_seen @ own, "n_first": own.sum()}
            statistics.append(
                SufficientStatistics(
                    **_unpacked(total[k], shapes), **{name: float(value) for name, value in counts.items()}
                )
            )
        return Expectation(each, responsibilities, tuple(statistics))

    def component_log_likelihoods(self, mixture: Mixture) -> Float[np.ndarray, "N K"]:
        """Log-likelihood of each trajectory under each component, nats, without the mixture's weights."""
        result = np.empty((len(self._lengths), mixture.n_components))
        for part, log_likelihoods, _ in self._blocks(mixture, 0):
            result[part] = log_likelihoods
        return result

    def _blocks(self, mixture: Mixture, size: int) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
        """Log-likelihoods (b, K) and packed statistics (b, K, size), block by block; size 0: likelihoods only."""
        stacks = [np.ascontiguousarray(mixture.stacked(name)) for name in _MATRICES]

        def one(first: int) -> tuple[slice, np.ndarray, np.ndarray]:
            part = slice(first, min(first + _BLOCK, len(self._lengths)))
            data = (self._inputs[part], self._outputs[part], self._seen[part], self._lengths[part])
            shape = (part.stop - part.start, mixture.n_components)
            log_likelihoods, packed = np.empty(shape), np.zeros((*shape, size))
            failed = block_statistics(*stacks, *data, log_likelihoods, packed)
            if failed:
                raise np.linalg.LinAlgError("a covariance of outputs or states is not positive definite")
            return part, log_likelihoods, packed

        firsts = range(0, len(self._lengths), _BLOCK)
        if self._n_threads == 1:
            yield from map(one, firsts)
            return
        with ThreadPoolExecutor(self._n_threads) as pool:
            yield from pool.map(one, firsts)


def _shapes(n: int, m: int, q: int) -> dict[str, tuple[int, ...]]:
    """Of the statistics, in the order in which kernels pack them."""
    z = n + m
    return {
        "zz_next": (z, z),
        "xz_next": (n, z),
        "xx_next": (n, n),
        "zz_all": (z, z),
        "yz_all": (q, z),
        "yy_all": (q, q),
        "first": (n,),
        "first_square": (n, n),
    }


def _unpacked(packed: Float[np.ndarray, " size"], shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    result, begin = {}, 0
    for name, shape in shapes.items():
        end = begin + int(np.prod(shape))
        result[name] = packed[begin:end].reshape(shape).copy()
        begin = end
    return result
