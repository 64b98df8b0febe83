"""Tables in, pictures out: reads CSV and JSON only. One file per figure: ``figures/X.py`` has ``draw_X``."""

from spikeline.figures.accuracy import draw_accuracy
from spikeline.figures.bank_rank import draw_bank_rank
from spikeline.figures.cells import draw_cells
from spikeline.figures.real_recording import draw_real_recording
from spikeline.figures.recording_excerpt import draw_recording_excerpt
from spikeline.figures.summary import summarise
from spikeline.figures.traces import draw_traces

__all__ = [
    "draw_accuracy",
    "draw_bank_rank",
    "draw_cells",
    "draw_real_recording",
    "draw_recording_excerpt",
    "draw_traces",
    "summarise",
]
