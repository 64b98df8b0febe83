import math

import numpy as np
import pytest

from spikeline.config.molds import EMSettings
from spikeline.dynamics.bayesian_information import bayesian_information, parameter_count
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.systems import LinearSystem
from tests.dynamics.em.mixtures import any_system

_SETTINGS = {
    "all": EMSettings(),
    "no feedthrough": EMSettings(feedthrough=False),
    "diagonal": EMSettings(diagonal_observation_noise=True),
    "shared": EMSettings(shared_outputs=True),
    "shared, no feedthrough": EMSettings(shared_outputs=True, feedthrough=False),
}

_SIZES = [(1, 2, 1, 2), (2, 2, 1, 3), (2, 2, 1, 1), (3, 1, 2, 1), (2, 3, 1, 2), (1, 3, 1, 1)]


def _rank_of_what_is_seen(K: int, n: int, m: int, q: int, settings: EMSettings) -> int:
    """How many of a mixture's numbers move the distribution of its outputs: the rank of its moments' Jacobian.

    The mean and covariance of the outputs over enough steps, as a function of each component's free numbers.
    """
    steps = 2 * n + 3
    systems = [any_system(k, n, m, q) for k in range(K)]
    shared = systems[0].C if settings.shared_outputs else None
    names = ["A", "B", "Q", "S", "mu", "R"] + (["D"] if settings.feedthrough else [])
    triangles = {"Q": n, "S": n, "R": q}

    def sizes(system: LinearSystem) -> list[tuple[str, int]]:
        found = []
        for name in names + ([] if settings.shared_outputs else ["C"]):
            size = getattr(system, name).size
            if name in triangles:
                side = triangles[name]
                diagonal = name == "R" and settings.diagonal_observation_noise
                size = side if diagonal else side * (side + 1) // 2
            found.append((name, size))
        return found

    def seen(theta: np.ndarray) -> np.ndarray:
        values, at = [], 0
        C = shared
        if settings.shared_outputs:
            C = shared + theta[: q * n].reshape(q, n)
            at = q * n
        for system in systems:
            parts = {name: getattr(system, name) for name in ("A", "B", "C", "D", "Q", "R", "mu", "S")}
            if not settings.feedthrough:
                parts["D"] = np.zeros((q, m))
            for name, size in sizes(system):
                change, at = theta[at : at + size], at + size
                if name not in triangles:
                    parts[name] = parts[name] + change.reshape(parts[name].shape)
                elif size == triangles[name]:
                    parts[name] = np.diag(np.diag(parts[name]) + change)
                else:
                    step = np.zeros((triangles[name],) * 2)
                    step[np.triu_indices(triangles[name])] = change
                    parts[name] = parts[name] + step + np.triu(step, 1).T
            if C is not None:
                parts["C"] = C
            mean, P, power = parts["mu"], parts["S"], [np.eye(n)]
            for _ in range(steps):
                power.append(parts["A"] @ power[-1])
            for t in range(steps):
                values.append(parts["C"] @ mean)
                values += [
                    (parts["C"] @ power[lag] @ P @ parts["C"].T + (lag == 0) * parts["R"]).ravel()
                    for lag in range(steps - t)
                ]
                mean, P = parts["A"] @ mean, parts["A"] @ P @ parts["A"].T + parts["Q"]
            values += [parts["D"].ravel(), *((parts["C"] @ p @ parts["B"]).ravel() for p in power)]
        return np.concatenate([np.ravel(v) for v in values])

    total = sum(size for system in systems for _, size in sizes(system)) + (q * n if settings.shared_outputs else 0)
    step = 1e-6
    jacobian = np.stack([(seen(step * e) - seen(-step * e)) / (2 * step) for e in np.eye(total)])
    singular = np.linalg.svd(jacobian, compute_uv=False)
    return int((singular > 1e-6 * singular[0]).sum())


@pytest.mark.parametrize("settings", _SETTINGS.values(), ids=_SETTINGS)
@pytest.mark.parametrize(("K", "n", "m", "q"), _SIZES)
def test_the_count_is_that_of_numbers_that_matter(K, n, m, q, settings):
    # weights, which add K - 1, move nothing within a component
    assert parameter_count(K, n, m, q, settings) == _rank_of_what_is_seen(K, n, m, q, settings) + K - 1


def test_bic():
    mixture = Mixture((any_system(0, 2, 1, 2),), np.ones(1))
    made = bayesian_information(-100.0, mixture, EMSettings(), 50, 5000)
    count = parameter_count(1, 2, 1, 2, EMSettings())
    assert made.by_trajectories == pytest.approx(200 + count * math.log(50))
    assert made.by_steps == pytest.approx(200 + count * math.log(5000))
