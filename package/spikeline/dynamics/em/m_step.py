"""The M-step: from sums of smoothed states to the matrices of largest expected likelihood, under constraints.

With z = (x, u), the expected log-likelihood of component k is, up to constants, a sum of three parts,

    - 1/2 (n_next log|Q_k| + tr Q_k^-1 M([A_k B_k]))    over steps that have a next one
    - 1/2 (n_all log|R_k| + tr R_k^-1 M([C_k D_k]))     over all steps
    - 1/2 (n_first log|S_k| + tr S_k^-1 E (x[0] - mu_k)(x[0] - mu_k)')

where M(G) = xx - G xz' - xz G' + G zz G' is what a regression G leaves, in the second line with y in the place of x.

**Regressions.** G = xz zz^-1 makes M(G) smallest in the sense of positive matrices, whatever the covariance; so the
matrices come first, and each covariance is M(G) / n after them. D = 0 leaves u out of z.

**Diagonal R.** The best diagonal R is the diagonal of M(G) / n; [C D] does not depend on R.

**One C for all components.** Now R_k does matter: setting the derivative of the sum over components to zero gives the
generalised least-squares problem

    sum_k R_k^-1 (yx_k - C xx_k - D_k ux_k) = 0,        D_k = (yu_k - C xu_k) uu_k^-1.

D_k put in, with xx~ = xx - xu uu^-1 ux and yx~ = yx - yu uu^-1 ux,

    (sum_k xx~_k (x) R_k^-1) vec C = vec sum_k R_k^-1 yx~_k                                   (columns stacked in vec)

a system of q n numbers; with diagonal R, q systems of n numbers, one per row of C. It holds for given R_k, and R_k
follow from C and D_k in closed form; the two alternate until C stands still. Each raises the expected likelihood.

**Floors.** Among covariances whose eigenvalues are not below a floor, the best is the one of largest likelihood with
its smaller eigenvalues raised to the floor: with L = R^-1, log|L| - tr L M is largest for L that shares M's
eigenvectors (von Neumann's trace inequality). So a floor is one more constraint, and the likelihood still never falls.
The same holds for the least weight of a component.

**Ridge.** Where inputs or states do not determine a regression, a ridge pulls it to the *present* matrices and not to
zero: a proximal step, under which the likelihood does not fall either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float
from scipy.linalg import lapack

from spikeline.dynamics.em.sufficient_statistics import SufficientStatistics
from spikeline.dynamics.systems import LinearSystem

__all__ = ["Constraints", "Maximum", "floored", "floored_weights", "maximised"]

_RIDGE = 1e-8
_LEAST_RECIPROCAL_CONDITION = 1e-12
_MOST_ROUNDS = 50
_STANDS_STILL = 1e-9
_FEWEST_TRAJECTORIES = 1.0


@dataclass(frozen=True)
class Constraints:
    """What the matrices have to keep to.

    Parameters
    ----------
    floor
        No eigenvalue of R lies below it.
    state_floor
        Nor of Q and S below this, which is in the states' units and not in the outputs'. None: as for R.
    feedthrough
        Whether D is estimated; else it is zero.
    diagonal
        Whether R has no covariances.
    shared_outputs
        Whether all components have one C.
    """

    floor: float
    feedthrough: bool = True
    diagonal: bool = False
    shared_outputs: bool = False
    state_floor: float | None = None

    @property
    def floor_of_states(self) -> float:
        """Of Q and S."""
        return self.floor if self.state_floor is None else self.state_floor


@dataclass(frozen=True)
class Maximum:
    """The outcome of an M-step.

    Parameters
    ----------
    systems
        Of largest expected likelihood.
    notes
        Which covariances lie at their floor, and which components kept their matrices: a few words each.
    """

    systems: tuple[LinearSystem, ...]
    notes: tuple[str, ...]


def maximised(
    statistics: Sequence[SufficientStatistics], present: Sequence[LinearSystem], constraints: Constraints
) -> Maximum:
    """The systems of largest expected likelihood.

    A component that has less than one trajectory, or fewer steps than a regression has unknowns, keeps its matrices,
    except for a C that it shares.

    Parameters
    ----------
    statistics
        Of each component.
    present
        The systems under which they were taken; they keep to the constraints.
    constraints
        What the systems have to keep to.
    """
    starved = [_is_starved(own, system) for own, system in zip(statistics, present, strict=True)]
    fed = [k for k, waits in enumerate(starved) if not waits]
    notes = [f"component {k} has too few steps, and keeps its matrices" for k in np.flatnonzero(starved)]
    outputs = (_shared_outputs if constraints.shared_outputs else _own_outputs)(
        statistics, present, starved, constraints
    )
    systems = [replace(system, C=C, D=D, R=R) for system, (C, D, R) in zip(present, outputs, strict=True)]
    if not fed:
        return Maximum(tuple(systems), tuple(notes))
    # Covariances of all components at once: eigenvalues of small matrices cost little, and calls much
    AB, mu, Q, S = map(np.stack, zip(*(_dynamics(statistics[k], present[k]) for k in fed), strict=True))
    Q, Q_raised = floored(Q, constraints.floor_of_states)
    S, S_raised = floored(S, constraints.floor_of_states)
    R_raised = np.linalg.eigvalsh(np.stack([outputs[k][2] for k in fed]))[:, 0] <= constraints.floor * (1 + 1e-9)
    n = Q.shape[1]
    for at, k in enumerate(fed):
        A, B = np.ascontiguousarray(AB[at, :, :n]), np.ascontiguousarray(AB[at, :, n:])
        systems[k] = replace(systems[k], A=A, B=B, Q=Q[at], mu=mu[at], S=S[at])
        raised = {"Q": Q_raised[at], "S": S_raised[at], "R": R_raised[at]}
        notes += [f"{name} of component {k} lies at its floor" for name, lies in raised.items() if lies]
    return Maximum(tuple(systems), tuple(notes))


def floored(
    covariances: Float[np.ndarray, "*K n n"], floor: float
) -> tuple[Float[np.ndarray, "*K n n"], Bool[np.ndarray, "*K"] | np.bool_]:
    """Covariances with their smaller eigenvalues raised to a floor, and which of them had such."""
    covariances = (covariances + covariances.swapaxes(-1, -2)) / 2
    values, vectors = np.linalg.eigh(covariances)
    low = ~(values[..., 0] >= floor)
    if not low.any():
        return covariances, low
    raised = (vectors * np.maximum(values, floor)[..., None, :]) @ vectors.swapaxes(-1, -2)
    raised = (raised + raised.swapaxes(-1, -2)) / 2
    return np.where(low[..., None, None], raised, covariances), low


def floored_weights(shares: Float[np.ndarray, " K"], least: float) -> Float[np.ndarray, " K"]:
    """Weights of largest expected likelihood, sum of shares times log weights, of which none is below ``least``.

    Those that would be below get ``least``, the others divide what is left in proportion to their shares.
    """
    at_least = np.zeros(len(shares), bool)
    weights = shares / shares.sum()
    while (weights[~at_least] < least).any():
        at_least |= weights < least
        rest = 1 - least * at_least.sum()
        weights = np.where(at_least, least, shares * rest / shares[~at_least].sum())
    return weights


def _is_starved(statistics: SufficientStatistics, system: LinearSystem) -> bool:
    n, m, q = len(system.A), system.B.shape[1], len(system.C)
    return statistics.n_first < _FEWEST_TRAJECTORIES or statistics.n_next < n + m or statistics.n_all < max(n + m, q)


def _dynamics(own: SufficientStatistics, system: LinearSystem) -> tuple[np.ndarray, ...]:
    """[A B], mu, and Q and S before their floor."""
    AB = _regression(own.xz_next, own.zz_next, np.concatenate([system.A, system.B], axis=1))
    mu = own.first / own.n_first
    Q = _left(own.xx_next, own.xz_next, own.zz_next, AB) / own.n_next
    return AB, mu, Q, own.first_square / own.n_first - np.outer(mu, mu)


_Outputs = tuple[Float[np.ndarray, "q n"], Float[np.ndarray, "q m"], Float[np.ndarray, "q q"]]


def _own_outputs(
    statistics: Sequence[SufficientStatistics],
    systems: Sequence[LinearSystem],
    starved: Sequence[bool],
    constraints: Constraints,
) -> list[_Outputs]:
    """C, D and R of each."""
    result = [(system.C, system.D, system.R) for system in systems]
    left = {}
    for k, (own, (C, D, R)) in enumerate(zip(statistics, result, strict=True)):
        if starved[k]:
            continue
        n = len(own.first)
        CD, kept = np.zeros((len(C), len(own.zz_all))), len(own.zz_all) if constraints.feedthrough else n
        present = np.concatenate([C, D], axis=1)[:, :kept]
        CD[:, :kept] = _regression(own.yz_all[:, :kept], own.zz_all[:kept, :kept], present)
        left[k] = _left(own.yy_all, own.yz_all, own.zz_all, CD) / own.n_all
        result[k] = np.ascontiguousarray(CD[:, :n]), np.ascontiguousarray(CD[:, n:]), R
    if left:
        for k, R in zip(left, _output_noise(np.stack(list(left.values())), constraints), strict=True):
            result[k] = (*result[k][:2], R)
    return result


def _shared_outputs(
    statistics: Sequence[SufficientStatistics],
    systems: Sequence[LinearSystem],
    starved: Sequence[bool],
    constraints: Constraints,
) -> list[_Outputs]:
    """C of all, D and R of each: generalised least squares for given R, and R, in turn until C stands still."""
    parts = [
        _without_inputs(own, system, fixed=waits or not constraints.feedthrough)
        for own, system, waits in zip(statistics, systems, starved, strict=True)
    ]
    C, result = systems[0].C, [(system.C, system.D, system.R) for system in systems]
    for _ in range(_MOST_ROUNDS):
        before = C
        C = _shared_output_matrix(parts, [R for _, _, R in result], C, constraints.diagonal)
        for k, (own, part) in enumerate(zip(statistics, parts, strict=True)):
            D = part.D_without_states - C @ part.D_per_state
            R = result[k][2]
            if not starved[k]:
                left = _left(own.yy_all, own.yz_all, own.zz_all, np.concatenate([C, D], axis=1))
                R = _output_noise(left / own.n_all, constraints)
            result[k] = C, D, R
        if np.abs(C - before).max() <= _STANDS_STILL * np.abs(C).max():
            break
    return result


@dataclass(frozen=True)
class _WithoutInputs:
    """Sums of states and outputs with the part that D explains taken out; D = D_without_states - C D_per_state."""

    xx: Float[np.ndarray, "n n"]
    yx: Float[np.ndarray, "q n"]
    D_without_states: Float[np.ndarray, "q m"]
    D_per_state: Float[np.ndarray, "n m"]


def _without_inputs(own: SufficientStatistics, system: LinearSystem, *, fixed: bool) -> _WithoutInputs:
    n = len(own.first)
    xx, xu, uu = own.zz_all[:n, :n], own.zz_all[:n, n:], own.zz_all[n:, n:]
    yx, yu = own.yz_all[:, :n], own.yz_all[:, n:]
    if fixed or not uu.size:
        return _WithoutInputs(xx, yx - system.D @ xu.T, system.D, np.zeros_like(xu))
    yu, uu = _determined(yu, uu, system.D)
    per_state, without_states = np.linalg.solve(uu, xu.T).T, np.linalg.solve(uu, yu.T).T
    return _WithoutInputs(xx - per_state @ xu.T, yx - without_states @ xu.T, without_states, per_state)


def _shared_output_matrix(
    parts: Sequence[_WithoutInputs],
    noises: Sequence[Float[np.ndarray, "q q"]],
    present: Float[np.ndarray, "q n"],
    diagonal: bool,
) -> Float[np.ndarray, "q n"]:
    q, n = present.shape
    if diagonal:
        precisions = 1 / np.stack([np.diagonal(R) for R in noises])
        squares = np.einsum("kq,kij->qij", precisions, np.stack([part.xx for part in parts]))
        crosses = np.einsum("kq,kqj->qj", precisions, np.stack([part.yx for part in parts]))
        return np.stack([_regression(crosses[j][None], squares[j], present[j][None])[0] for j in range(q)])
    square, cross = np.zeros((n * q, n * q)), np.zeros((q, n))
    for part, R in zip(parts, noises, strict=True):
        precision = np.linalg.inv(R)
        square += np.kron(part.xx, (precision + precision.T) / 2)
        cross += precision @ part.yx
    return _regression(cross.T.reshape(1, -1), square, present.T.reshape(1, -1)).reshape(n, q).T


def _output_noise(left: Float[np.ndarray, "*K q q"], constraints: Constraints) -> Float[np.ndarray, "*K q q"]:
    if constraints.diagonal:
        variances = np.maximum(np.diagonal(left, axis1=-2, axis2=-1), constraints.floor)
        return variances[..., None] * np.eye(left.shape[-1])
    return floored(left, constraints.floor)[0]


def _left(
    square: Float[np.ndarray, "rows rows"],
    cross: Float[np.ndarray, "rows columns"],
    regressors: Float[np.ndarray, "columns columns"],
    matrix: Float[np.ndarray, "rows columns"],
) -> Float[np.ndarray, "rows rows"]:
    """M(G): what a regression leaves."""
    explained = matrix @ cross.T
    return square - explained - explained.T + matrix @ regressors @ matrix.T


def _regression(
    cross: Float[np.ndarray, "rows columns"],
    square: Float[np.ndarray, "columns columns"],
    present: Float[np.ndarray, "rows columns"],
) -> Float[np.ndarray, "rows columns"]:
    """cross square^-1, near the present matrix in directions that square does not determine."""
    cross, square = _determined(cross, square, present)
    return np.linalg.solve(square, cross.T).T


def _determined(
    cross: Float[np.ndarray, "rows columns"],
    square: Float[np.ndarray, "columns columns"],
    present: Float[np.ndarray, "rows columns"],
) -> tuple[Float[np.ndarray, "rows columns"], Float[np.ndarray, "columns columns"]]:
    """The same normal equations, with a ridge around the present matrix if they determine too little."""
    if not len(square):
        return cross, square
    sizes = np.diagonal(square).copy()
    sizes[~(sizes > 0)] = sizes.max() if sizes.max() > 0 else 1.0
    scale = np.sqrt(sizes)
    scaled = square / scale / scale[:, None]
    root, failed = lapack.dpotrf(scaled, lower=1)
    if not failed:
        reciprocal, _ = lapack.dpocon(root, np.abs(scaled).sum(axis=0).max(), uplo="L")
        if reciprocal > _LEAST_RECIPROCAL_CONDITION:
            return cross, square
    ridge = _RIDGE * sizes
    return cross + ridge * present, square + np.diag(ridge)
