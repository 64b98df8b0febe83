import math

import numpy as np
import pytest
import torch

from spikeline.artifacts import seed_stream
from spikeline.errors import ConfigError, DataError
from spikeline.sorting.simsort.paper.detector import PaperDetector
from spikeline.sorting.simsort.paper.inference import spike_probability, windowed


def _small():
    torch.manual_seed(0)
    return PaperDetector(n_layers=1, width=16, n_heads=4, feedforward=32)


def _traces(n_samples):
    return seed_stream(0, "test-detector").standard_normal((n_samples, 4), dtype=np.float32)


def test_it_has_the_published_number_of_parameters():
    assert sum(p.numel() for p in PaperDetector().parameters()) == 3_160_577


def test_weights_are_parameters_alone():
    detector = PaperDetector(n_layers=1)
    assert set(detector.state_dict()) == {name for name, _ in detector.named_parameters()}


def test_one_logit_per_sample_of_the_published_window():
    with torch.inference_mode():
        assert PaperDetector(n_layers=1).eval()(torch.zeros(2, 2000, 4)).shape == (2, 2000)


def test_positions_are_sinusoids():
    positions = PaperDetector(n_layers=1).positions
    for place in (0, 1, 1999):
        for column in (0, 1, 100, 255):
            angle = place / 10000 ** (2 * (column // 2) / 256)
            expected = math.cos(angle) if column % 2 else math.sin(angle)
            assert positions[place, column] == pytest.approx(expected, abs=1e-6)


def test_the_forward_pass_is_the_formula():
    """A post-norm encoder layer written out, with attention head by head."""
    detector = _small().eval()
    layer = detector.encoder.layers[0]
    windows = torch.from_numpy(_traces(2 * 30).reshape(2, 30, 4))

    def attention(x):
        query, key, value = torch.nn.functional.linear(
            x, layer.self_attn.in_proj_weight, layer.self_attn.in_proj_bias
        ).chunk(3, dim=-1)
        heads = [
            torch.softmax(q @ k.transpose(1, 2) / math.sqrt(4), dim=-1) @ v
            for q, k, v in zip(query.split(4, -1), key.split(4, -1), value.split(4, -1), strict=True)
        ]
        return layer.self_attn.out_proj(torch.cat(heads, dim=-1))

    with torch.no_grad():
        tokens = detector.embedding(windows) + detector.positions[:30]
        tokens = layer.norm1(tokens + attention(tokens))
        tokens = layer.norm2(tokens + layer.linear2(torch.relu(layer.linear1(tokens))))
        torch.testing.assert_close(detector(windows), detector.head(tokens)[..., 0])


def test_a_window_beyond_the_positions_is_refused():
    with pytest.raises(DataError, match="6001"):
        _small()(torch.zeros(1, 6001, 4))


def test_windows_follow_each_other():
    traces = _traces(105)
    windows = windowed(traces, window=20)
    assert windows.shape == (5, 20, 4)
    np.testing.assert_array_equal(windows.reshape(-1, 4), traces[:100])
    padded = windowed(traces, window=20, tail="pad").reshape(-1, 4)
    np.testing.assert_array_equal(padded[:105], traces)
    assert len(padded) == 120 and not padded[105:].any()


def test_probabilities_are_those_of_single_windows():
    detector, traces = _small(), _traces(70)
    found = spike_probability(detector, traces, window=20, batch=2)
    assert found.shape == (60,)
    with torch.inference_mode():
        expected = [torch.sigmoid(detector.eval()(torch.from_numpy(traces[None, i : i + 20])))[0] for i in (0, 20, 40)]
    np.testing.assert_allclose(found, torch.cat(expected).numpy(), rtol=1e-5)
    assert spike_probability(detector, traces, window=20, tail="pad").shape == (70,)


def test_dropout_is_off_while_probabilities_are_computed_and_back_on_after():
    detector, traces = _small().train(), _traces(40)
    first, second = (spike_probability(detector, traces, window=20) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert detector.training


def test_less_than_a_window_or_an_unknown_tail_is_refused():
    with pytest.raises(DataError, match="at least 2000"):
        windowed(_traces(1999))
    with pytest.raises(ConfigError, match="keep"):
        windowed(_traces(2000), tail="keep")
