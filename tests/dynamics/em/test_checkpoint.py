import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from spikeline.artifacts import manifest_path
from spikeline.config.molds import EMSettings
from spikeline.dynamics.em.checkpoint import fit_identity
from spikeline.dynamics.em.expectation_maximisation import fit_mixture_em
from spikeline.dynamics.em.numpy_engine import NumpyEngine
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.mixture_files import mixture_arrays, write_mixture
from spikeline.dynamics.trajectory_files import write_trajectories
from spikeline.errors import DataError, FormatError
from tests.dynamics.mixtures import three_component_data, three_systems

SETTINGS = EMSettings(engine="numpy", most_iterations=12, tolerance=0.0, checkpoint_minutes=0.0, shared_outputs=True)


class Killed(Exception):
    """What a fit is stopped by."""


def _case():
    _, data = three_component_data(1, 20, 15)
    return data, Mixture(tuple(three_systems(2)), np.full(3, 1 / 3))


def _stop_at(step, error=Killed):
    def told(iteration, log_likelihood):
        if iteration == step:
            raise error

    return told


def _same_bytes(first, second):
    assert all(
        own.tobytes() == other.tobytes()
        for own, other in zip(
            (*mixture_arrays(first.mixture).values(), first.responsibilities, first.log_likelihoods),
            (*mixture_arrays(second.mixture).values(), second.responsibilities, second.log_likelihoods),
            strict=True,
        )
    )
    assert (first.converged, first.notes) == (second.converged, second.notes)


@pytest.mark.parametrize("engine", ["numpy", "numba", "numba float32", "torch", "torch float32", "numba, with gaps"])
def test_a_fit_that_was_stopped_again_and_again_ends_in_the_same_bytes(tmp_path, engine):
    data, start = _case()
    if engine.endswith("gaps"):
        data = replace(data, observed=np.random.default_rng(0).uniform(size=data.outputs.shape) > 0.01)
    name, precision = engine.split(",")[0].split()[0], "float32" if "float32" in engine else "float64"
    settings = SETTINGS.model_copy(update={"engine": name, "precision": precision})
    path = tmp_path / "fit.checkpoint.h5"
    whole = fit_mixture_em(data, start, settings)
    for step in (0, 1, 5, 5, 6):
        with pytest.raises(Killed):
            fit_mixture_em(data, start, settings, checkpoint=path, on_iteration=_stop_at(step))
        assert path.exists() == (step > 0)
    steps = []
    resumed = fit_mixture_em(
        data, start, settings, checkpoint=path, on_iteration=lambda step, log_likelihood: steps.append(step)
    )
    assert steps == list(range(6, 13))
    _same_bytes(whole, resumed)
    assert not path.exists() and not manifest_path(path).exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_one_that_is_told_to_end_keeps_its_state_at_once(tmp_path, error):
    data, start = _case()
    path = tmp_path / "fit.checkpoint.h5"
    settings = SETTINGS.model_copy(update={"checkpoint_minutes": 60.0})
    with pytest.raises(error):
        fit_mixture_em(data, start, settings, checkpoint=path, on_iteration=_stop_at(4, error))
    steps = []
    resumed = fit_mixture_em(
        data, start, SETTINGS, checkpoint=path, on_iteration=lambda step, log_likelihood: steps.append(step)
    )
    assert steps[0] == 4
    _same_bytes(fit_mixture_em(data, start, SETTINGS), resumed)


def test_a_killed_process_loses_nothing(tmp_path):
    data, start = _case()
    write_trajectories(tmp_path / "data.h5", data)
    write_mixture(tmp_path / "start.h5", start)
    (tmp_path / "fit.py").write_text(
        "import os, signal\n"
        "from spikeline.config.molds import EMSettings\n"
        "from spikeline.dynamics.em.expectation_maximisation import fit_mixture_em\n"
        "from spikeline.dynamics.mixture_files import read_mixture\n"
        "from spikeline.dynamics.trajectory_files import read_trajectories\n"
        f"settings = EMSettings.parse({SETTINGS.plain()})\n"
        "def die(step, log_likelihood):\n"
        "    if step == 7:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "fit_mixture_em(read_trajectories('data.h5'), read_mixture('start.h5'), settings,\n"
        "               checkpoint='fit.checkpoint.h5', on_iteration=die)\n"
    )
    done = subprocess.run([sys.executable, "fit.py"], cwd=tmp_path, env=dict(os.environ), capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    steps = []
    path = tmp_path / "fit.checkpoint.h5"
    resumed = fit_mixture_em(
        data, start, SETTINGS, checkpoint=path, on_iteration=lambda step, total: steps.append(step)
    )
    assert steps[0] == 7
    _same_bytes(fit_mixture_em(data, start, SETTINGS), resumed)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda data, start: (replace(data, outputs=data.outputs * 1.01), start, SETTINGS), "trajectories"),
        (lambda data, start: (data, replace(start, weights=np.array([0.5, 0.3, 0.2])), SETTINGS), "start"),
        (lambda data, start: (data, start, SETTINGS.model_copy(update={"tolerance": 1e-7})), "settings"),
    ],
)
def test_the_checkpoint_of_another_fit_is_refused_and_kept(tmp_path, change, what):
    data, start = _case()
    path = tmp_path / "fit.checkpoint.h5"
    with pytest.raises(Killed):
        fit_mixture_em(data, start, SETTINGS, checkpoint=path, on_iteration=_stop_at(3))
    before = path.read_bytes()
    with pytest.raises(DataError, match=f"checkpoint of another fit: {what} "):
        fit_mixture_em(*change(data, start), checkpoint=path)
    assert path.read_bytes() == before


def test_a_damaged_checkpoint_is_named(tmp_path):
    data, start = _case()
    path = tmp_path / "fit.checkpoint.h5"
    path.write_bytes(b"half a file")
    with pytest.raises(FormatError, match=r"fit\.checkpoint\.h5 cannot be read"):
        fit_mixture_em(data, start, SETTINGS, checkpoint=path)


def test_what_lies_beyond_a_length_and_when_the_state_is_kept_are_no_part_of_a_fit():
    data, start = _case()
    data = replace(data, lengths=np.where(np.arange(20) < 10, 15, 12))
    outputs = data.outputs.copy()
    outputs[15, 13] = np.nan
    engine = NumpyEngine(data)
    rarely = SETTINGS.model_copy(update={"checkpoint_minutes": 7.0})
    assert fit_identity(data, start, SETTINGS, engine) == fit_identity(
        replace(data, outputs=outputs), start, rarely, engine
    )
