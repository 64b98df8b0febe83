import importlib.util
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from spikeline.config.molds import EMSettings
from spikeline.dynamics.em import engines
from spikeline.dynamics.em.engines import make_engine
from spikeline.dynamics.em.missing_outputs import MissingOutputsEngine
from spikeline.dynamics.em.numba_engine import NumbaEngine
from spikeline.dynamics.em.numpy_engine import NumpyEngine
from spikeline.dynamics.em.split_engine import SplitEngine
from spikeline.dynamics.em.torch_engine import TorchEngine
from spikeline.errors import ConfigError
from tests.dynamics.em.engine_checks import assert_same_expectation
from tests.dynamics.em.mixtures import data_of, mixture_of

MIXTURE = mixture_of(0, 2, 1, 2)
DATA = data_of(MIXTURE, 1, 5, 8)


def test_each_name_makes_its_engine():
    assert type(make_engine(EMSettings(engine="numpy"), DATA)) is NumpyEngine
    assert type(make_engine(EMSettings(engine="torch"), DATA)) is TorchEngine
    assert type(make_engine(EMSettings(engine="numba"), DATA)) is NumbaEngine


def test_settings_choose_precision_and_the_way_through_time():
    names = {
        make_engine(EMSettings(engine="numba", precision="float32"), DATA).name: "NumbaEngine float32",
        make_engine(EMSettings(engine="torch", scan="associative"), DATA).name: "TorchEngine float64 associative cpu",
    }
    assert all(made == expected for made, expected in names.items())
    for refused in ({"engine": "numpy", "precision": "float32"}, {"engine": "numba", "scan": "associative"}):
        with pytest.raises(ValueError, match="take"):
            EMSettings.parse(refused)


def test_where_outputs_are_missing_the_engine_for_that_computes():
    observed = np.ones(DATA.outputs.shape, bool)
    assert type(make_engine(EMSettings(engine="numpy"), replace(DATA, observed=observed))) is NumpyEngine
    beyond = replace(DATA, lengths=np.full(5, 7), observed=observed.copy())
    beyond.observed[:, 7] = False
    assert type(make_engine(EMSettings(engine="numpy"), beyond)) is NumpyEngine
    observed[:, 2, 1] = False
    assert type(make_engine(EMSettings(engine="numpy"), replace(DATA, observed=observed))) is MissingOutputsEngine


def test_trajectories_with_gaps_and_without_are_joined_again():
    observed = np.ones(DATA.outputs.shape, bool)
    observed[[1, 3], 2, 1] = False
    gaps = replace(DATA, observed=observed)
    made, all_own = make_engine(EMSettings(engine="numpy"), gaps), MissingOutputsEngine(gaps)
    assert type(made) is SplitEngine and made.name == "NumpyEngine and MissingOutputsEngine"
    assert_same_expectation(made.expectation(MIXTURE), all_own.expectation(MIXTURE), 1e-11)
    np.testing.assert_allclose(
        made.component_log_likelihoods(MIXTURE), all_own.component_log_likelihoods(MIXTURE), rtol=1e-12
    )
    assert not hasattr(made, "rounding")
    assert make_engine(EMSettings(engine="torch"), gaps).rounding == TorchEngine(DATA, device="cpu").rounding


def test_auto_takes_torch_only_with_a_gpu(monkeypatch):
    monkeypatch.setattr(engines, "_gpu_with_torch", lambda: True)
    assert type(make_engine(EMSettings(engine="auto"), DATA)) is TorchEngine
    monkeypatch.setattr(engines, "_gpu_with_torch", lambda: False)
    made = make_engine(EMSettings(engine="auto"), DATA)
    assert type(made) is NumbaEngine
    assert_same_expectation(made.expectation(MIXTURE), NumpyEngine(DATA).expectation(MIXTURE))


def test_an_engine_that_is_not_there_is_named(monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else real(name))
    assert not engines._gpu_with_torch()
    with pytest.raises(ConfigError, match="PyTorch is not installed"):
        make_engine(EMSettings(engine="torch"), DATA)


def test_nothing_that_is_slow_to_import_is_imported_before_it_is_needed():
    code = (
        "import sys, spikeline.dynamics.em.expectation_maximisation, spikeline.dynamics.em.engines\n"
        "sys.exit(','.join({'torch', 'numba'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
