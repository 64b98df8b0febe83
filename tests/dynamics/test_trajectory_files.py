import numpy as np
import pytest

from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.mixture_files import read_mixture, write_mixture
from spikeline.dynamics.trajectories import Trajectories
from spikeline.dynamics.trajectory_files import read_trajectories, write_trajectories
from spikeline.errors import DataError, FormatError
from tests.dynamics.em.mixtures import any_system


def _data(observed: bool) -> Trajectories:
    draw = np.random.default_rng(0)
    outputs = draw.normal(size=(5, 7, 2))
    mask = draw.uniform(size=outputs.shape) > 0.2
    lengths = np.array([7, 7, 4, 7, 5])
    return Trajectories(
        draw.normal(size=(5, 7, 3)), outputs, lengths, np.arange(5, dtype=np.int64), mask if observed else None
    )


@pytest.mark.parametrize("observed", [False, True])
@pytest.mark.parametrize("name", ["data.h5", "data.npz"])
def test_files_give_trajectories_back(tmp_path, observed, name):
    data = _data(observed)
    parts = {"inputs": data.inputs, "outputs": data.outputs, "lengths": data.lengths, "labels": data.labels}
    if name == "data.h5":
        write_trajectories(tmp_path / name, data)
    else:
        np.savez(tmp_path / name, **parts, **({"observed": data.observed} if observed else {}))
    back = read_trajectories(tmp_path / name)
    for key, value in parts.items():
        assert np.array_equal(getattr(back, key), value)
    assert (back.observed is None) != observed
    if observed:
        assert np.array_equal(back.observed, data.observed)


def test_lengths_may_be_left_out(tmp_path):
    np.savez(tmp_path / "a.npz", inputs=np.zeros((2, 5, 1), np.float32), outputs=np.ones((2, 5, 1)))
    assert read_trajectories(tmp_path / "a.npz").lengths.tolist() == [5, 5]


WHOLE = {"inputs": np.zeros((2, 5, 1)), "outputs": np.zeros((2, 5, 1))}


@pytest.mark.parametrize(
    ("arrays", "text"),
    [
        ({"inputs": np.zeros((2, 5, 1))}, "no array outputs; it has inputs"),
        ({"inputs": np.zeros((2, 5, 1)), "outputs": np.zeros((2, 5))}, r"outputs has shape \(2, 5\)"),
        ({"inputs": np.zeros((2, 5, 1)), "outputs": np.full((2, 5, 1), "a")}, "outputs is of type <U1"),
        ({**WHOLE, "length": np.array([5, 4])}, "has an array length, which is none of a file of trajectories"),
        ({**WHOLE, "lengths": np.array([4.7, 5])}, "lengths has numbers that are no whole numbers"),
        ({**WHOLE, "labels": np.array([np.nan, 1])}, "labels has numbers that are no whole numbers"),
        ({**WHOLE, "observed": np.full((2, 5, 1), np.nan)}, "observed has numbers that are no truth values"),
        ({"inputs": np.array([{}], object), "outputs": np.zeros((2, 5, 1))}, "cannot be read as .npz"),
    ],
)
def test_other_files_are_errors(tmp_path, arrays, text):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(FormatError, match=text):
        read_trajectories(tmp_path / "a.npz")


def test_missing_and_broken_files_are_errors(tmp_path):
    with pytest.raises(FormatError, match="does not exist"):
        read_trajectories(tmp_path / "none.npz")
    (tmp_path / "b.npz").write_bytes(b"PK no zip")
    with pytest.raises(FormatError, match="cannot be read"):
        read_trajectories(tmp_path / "b.npz")
    with pytest.raises(FormatError, match="no file of trajectories by its name"):
        read_trajectories(tmp_path / "d.npy")
    write_mixture(tmp_path / "e.h5", Mixture((any_system(0, 2, 1, 2),), np.ones(1)))
    with pytest.raises(FormatError) as caught:
        read_trajectories(tmp_path / "e.h5")
    assert "schema 'mixture'" in caught.value.seen and "delete" not in caught.value.remedy
    np.savez(tmp_path / "c.npz", inputs=np.full((2, 5, 1), np.nan), outputs=np.zeros((2, 5, 1)))
    with pytest.raises(DataError, match="not finite"):
        read_trajectories(tmp_path / "c.npz")


def test_a_mixture_file_gives_it_back(tmp_path):
    mixture = Mixture((any_system(0, 2, 1, 2), any_system(1, 2, 1, 2)), np.array([0.25, 0.75]))
    write_mixture(tmp_path / "m.h5", mixture)
    back = read_mixture(tmp_path / "m.h5")
    assert np.array_equal(back.weights, mixture.weights)
    for name in ("A", "B", "C", "D", "Q", "R", "mu", "S"):
        assert np.array_equal(back.stacked(name), mixture.stacked(name))


def test_mixtures_of_unequal_sizes_or_weights_are_errors():
    one, other = any_system(0, 2, 1, 2), any_system(1, 3, 1, 2)
    with pytest.raises(DataError, match="2 different sizes"):
        Mixture((one, other), np.array([0.5, 0.5]))
    with pytest.raises(DataError, match="probabilities of sum 1"):
        Mixture((one, one), np.array([0.5, 0.6]))
