"""The shapes and types that annotations promise are checked while tests run, and only then."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from jaxtyping import TypeCheckError
from numba.core.dispatcher import Dispatcher

from spikeline.errors import DataError
from spikeline.simulation.bank.stimulus import stimulus_current
from spikeline.simulation.field import line_source
from spikeline.simulation.field.geometry import SegmentGeometry
from spikeline.simulation.field.line_source import line_source_matrix
from spikeline.simulation.recordings.drift import Drift
from spikeline.sorting.scoring.matching import matched_spikes
from spikeline.sorting.scoring.rules import agreement_scores
from tests.array_checking import check_arrays_on_import

PACKAGE = Path(line_source.__file__).parents[2]
ROOMS = [
    "simulation/field", "simulation/cells", "simulation/bank", "simulation/recordings", "simulation/illustration",
    "sorting/scoring", "sorting/snr.py",
]  # fmt: skip


def _segment() -> SegmentGeometry:
    return SegmentGeometry(np.zeros((1, 3)), np.ones((1, 3)), np.ones(1), np.array([True]))


def test_a_wrong_shape_is_seen() -> None:
    with pytest.raises(TypeCheckError, match="contacts_um"):
        line_source_matrix(_segment(), np.zeros((4, 2)))


def test_a_wrong_type_is_seen() -> None:
    with pytest.raises(TypeCheckError, match="found_train"):
        matched_spikes(np.array([10]), np.array([10.0]), 3, one_to_one=True)


def test_axes_that_disagree_are_seen() -> None:
    with pytest.raises(TypeCheckError, match="n_found_spikes"):
        agreement_scores(np.zeros((2, 3), int), np.zeros(2, int), np.zeros(2, int))


def test_fields_and_methods_of_a_dataclass_are_checked() -> None:
    with pytest.raises(TypeCheckError, match="jump_levels_um"):
        Drift(0.0, 1.0, 0.0, np.zeros(2), np.zeros(2))
    drift = Drift(0.0, 1.0, 0.0, np.zeros(2), np.zeros(3))
    with pytest.raises(TypeCheckError, match="time_s"):
        drift.displacement_um(np.zeros((2, 2)))


def test_what_is_returned_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a_module_that_errs.py").write_text(
        "import numba\nimport numpy as np\nfrom jaxtyping import Float64\n\n"
        'def zeros(count: int) -> Float64[np.ndarray, "{count}"]:\n    return np.zeros(count + 1)\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    check_arrays_on_import("a_module_that_errs")
    with pytest.raises(TypeCheckError, match="return value"):
        importlib.import_module("a_module_that_errs").zeros(3)


def test_what_was_imported_too_early_cannot_be_checked() -> None:
    with pytest.raises(RuntimeError, match=r"spikeline\.simulation\.field"):
        check_arrays_on_import("spikeline.simulation")


@pytest.mark.wrong_arrays
def test_the_mark_leaves_users_errors_to_be_tested() -> None:
    with pytest.raises(DataError):
        line_source_matrix(_segment(), np.zeros((4, 2)))


def test_compiled_kernels_stay_compiled() -> None:
    assert isinstance(line_source._fill, Dispatcher)
    assert not hasattr(line_source._fill.py_func, "__wrapped__")


def test_functions_without_arrays_are_left_alone() -> None:
    assert hasattr(stimulus_current, "__wrapped__")
    assert not hasattr(SegmentGeometry.n_segments.fget, "__wrapped__")


def test_production_checks_nothing() -> None:
    code = (
        "import sys, numpy as np\n"
        "from spikeline.sorting.scoring.rules import agreement_scores\n"
        "assert not hasattr(agreement_scores, '__wrapped__')\n"
        "assert 'beartype' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def _bare_arrays(path: Path) -> list[str]:
    """Public arguments, results and fields of a module that are arrays and do not say their axes."""

    def public(body: list[ast.stmt]) -> list[tuple[str, ast.expr]]:
        found = []
        for node in body:
            name = getattr(node, "name", "")
            if name.startswith("_") and name != "__init__":
                continue
            if isinstance(node, ast.ClassDef):
                found += public(node.body)
            elif isinstance(node, ast.FunctionDef):
                arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                found += [(f"{name}({a.arg})", a.annotation) for a in arguments if a.annotation]
                found += [(name, node.returns)] if node.returns else []
            elif isinstance(node, ast.AnnAssign) and not ast.unparse(node.target).startswith("_"):
                found.append((ast.unparse(node.target), node.annotation))
        return found

    def bare(annotation: ast.expr) -> bool:
        text = ast.unparse(annotation)
        return text.count("np.ndarray") > text.count("[np.ndarray, '") + text.count("[np.ndarray | h5py.Dataset, '")

    return [f"{path.name}: {name}" for name, hint in public(ast.parse(path.read_text()).body) if bare(hint)]


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_array_says_its_axes(room: str) -> None:
    path = PACKAGE / room
    files = [path] if path.suffix else sorted(path.glob("*.py"))
    assert [found for file in files for found in _bare_arrays(file)] == []
