"""`simulated_recording.render` in torch, on any device: the same recording to float32 rounding.

Random numbers are drawn on the CPU, from the same streams, so a recording is the same wherever it is made. What costs
time on a CPU, projecting, pasting and filtering, is done where the tensors lie.
"""

from __future__ import annotations

import torch
from jaxtyping import Float32

from spikeline.simulation.recordings.device_arrays import DeviceArrays
from spikeline.simulation.recordings.filters_torch import filtered_from_rest
from spikeline.simulation.recordings.interpolation import interpolator
from spikeline.simulation.recordings.noise import NoiseSource, white_block
from spikeline.simulation.recordings.simulated_recording import RecordingPlan
from spikeline.simulation.recordings.synthesis_torch import TorchSynthesiser

__all__ = ["noise_on", "render_on"]


def render_on(plan: RecordingPlan, arrays: DeviceArrays) -> Float32[torch.Tensor, "samples channels"]:
    """The whole recording, uV, made on the arrays' device and left there."""
    engine = TorchSynthesiser(
        plan.sources,
        n_channels=plan.n_channels,
        plan=interpolator(plan.bank_rate_hz, plan.sampling_rate_hz),
        bank_rate_hz=plan.bank_rate_hz,
        motion=plan.motion,
        arrays=arrays,
    )
    traces = engine.traces(0, plan.n_samples)
    return traces if plan.noise is None else traces + noise_on(plan.noise, plan.n_samples, arrays.device)


def noise_on(
    source: NoiseSource, n_samples: int, device: torch.device | str
) -> Float32[torch.Tensor, "{n_samples} {source.n_channels}"]:
    """The first samples of `noise.noise_block`'s blocks, one after the other, uV."""
    blocks = []
    for index in range(-(-n_samples // source.block)):
        needed = source.warm_up + min(source.block, n_samples - index * source.block)
        white = torch.from_numpy(white_block(source, index)[:needed]).to(device)
        coloured = filtered_from_rest(white, source.sections, source.warm_up) if len(source.sections) else white
        blocks.append(coloured[source.warm_up :])
    return torch.cat(blocks)
