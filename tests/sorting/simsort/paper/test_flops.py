import pytest
import torch
from torch import nn

from spikeline.sorting.simsort.paper.detector import PaperDetector
from spikeline.sorting.simsort.paper.flops import flops_per_sample
from spikeline.sorting.simsort.paper.identifier import PaperIdentifier


@pytest.mark.parametrize("samples", [1, 100, 2000])
def test_a_linear_layer_costs_two_per_weight(samples):
    assert flops_per_sample(nn.Linear(4, 16), 4, samples) == 2 * 4 * 16


def test_a_convolution_with_stride_costs_less():
    class Strided(nn.Module):
        def __init__(self):
            super().__init__()
            self.convolution = nn.Conv1d(4, 8, kernel_size=5, stride=4, padding=2)

        def forward(self, windows):
            return self.convolution(windows.transpose(1, 2))

    assert flops_per_sample(Strided(), 4, 400) == 2 * 5 * 4 * 8 / 4


def _by_hand(samples, layers=4, width=256, feedforward=1024):
    projections, attention = 4 * width * width, 2 * samples * width
    return 2 * (4 * width + layers * (projections + attention + 2 * width * feedforward) + width)


@pytest.mark.parametrize("samples", [500, 2000])
def test_the_published_detector(samples):
    assert flops_per_sample(PaperDetector(), 4, samples) == _by_hand(samples)


def test_the_published_identifier():
    assert flops_per_sample(PaperIdentifier(), 4, 60) == 2 * 3 * 512 * (4 + 512)


def test_counting_changes_nothing():
    detector, fast = PaperDetector(n_layers=1), torch.backends.mha.get_fastpath_enabled()
    flops_per_sample(detector, 4, 100)
    assert detector.training and torch.backends.mha.get_fastpath_enabled() == fast
    assert next(detector.parameters()).device.type == "cpu"
