"""The detector looks equally far to both sides, the same at every sample."""

from __future__ import annotations

import pytest
import torch

from spikeline.sorting.simsort.detector import GROUP, Detector


def random_detector(**architecture: object) -> Detector:
    torch.manual_seed(0)
    return Detector(**architecture).double()


@pytest.mark.parametrize("architecture", [{}, {"dilations": ()}, {"width": 6, "taps": 7, "dilations": (3, 1)}])
def test_an_output_depends_on_the_margin_and_nothing_else(architecture: dict[str, object]) -> None:
    detector = random_detector(**architecture)
    traces = torch.randn(1, GROUP, 201, dtype=torch.double, requires_grad=True)
    out = detector(traces)
    assert out.shape == (1, 201)
    out[0, 100].backward()
    reached = torch.nonzero(traces.grad.abs().sum(dim=(0, 1)))[:, 0]
    assert (int(reached.min()), int(reached.max())) == (100 - detector.margin, 100 + detector.margin)


def test_the_same_traces_later_give_the_same_output_later() -> None:
    detector = random_detector()
    traces = torch.randn(2, GROUP, 300, dtype=torch.double)
    margin = detector.margin
    whole, part = detector(traces), detector(traces[:, :, 40:240])
    assert torch.allclose(whole[:, 40 + margin : 240 - margin], part[:, margin:-margin])
    one = detector(traces[1:])
    assert torch.allclose(one[0], whole[1])


def test_it_is_told_which_channels_there_are() -> None:
    detector = random_detector()
    traces = torch.randn(2, GROUP, 120, dtype=torch.double)
    traces[0, 1:] = 0
    traces[1, 2] = 0
    told = detector(traces)
    told.sum().backward()
    assert bool((detector.presence.weight.grad != 0).any(dim=0)[torch.tensor([0, 1, 3])].all())
    assert not detector.presence.weight.grad[:, 2].any()  # there in neither
    with torch.no_grad():
        detector.stem.bias += detector.presence.weight[:, 0]
        detector.presence.weight.zero_()
        assert torch.allclose(detector(traces[:1]), told[:1])
