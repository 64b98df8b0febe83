"""Tables in, pictures out: reads CSV and JSON only. One file per figure: ``figures/X.py`` has ``draw_X``."""

from spikeline.figures.ablations import draw_ablations
from spikeline.figures.accuracy import draw_accuracy
from spikeline.figures.bank_rank import draw_bank_rank
from spikeline.figures.cells import draw_cells
from spikeline.figures.detection import draw_detection
from spikeline.figures.detection_excerpt import draw_detection_excerpt
from spikeline.figures.embedding import draw_embedding
from spikeline.figures.fine_tuning import draw_fine_tuning
from spikeline.figures.held_out_classes import draw_held_out_classes
from spikeline.figures.identification import draw_identification
from spikeline.figures.molds_clusters import draw_molds_clusters
from spikeline.figures.molds_complex import draw_molds_complex
from spikeline.figures.molds_prediction import draw_molds_prediction
from spikeline.figures.molds_sample_size import draw_molds_sample_size
from spikeline.figures.molds_selection import draw_molds_selection
from spikeline.figures.molds_smd_rtpm import draw_molds_smd_rtpm
from spikeline.figures.molds_stability import draw_molds_stability
from spikeline.figures.real_recording import draw_real_recording
from spikeline.figures.recording_excerpt import draw_recording_excerpt
from spikeline.figures.sorting_table import draw_sorting_table
from spikeline.figures.summary import summarise
from spikeline.figures.traces import draw_traces
from spikeline.figures.training_data import draw_training_data

__all__ = [
    "draw_ablations",
    "draw_accuracy",
    "draw_bank_rank",
    "draw_cells",
    "draw_detection",
    "draw_detection_excerpt",
    "draw_embedding",
    "draw_fine_tuning",
    "draw_held_out_classes",
    "draw_identification",
    "draw_molds_clusters",
    "draw_molds_complex",
    "draw_molds_prediction",
    "draw_molds_sample_size",
    "draw_molds_selection",
    "draw_molds_smd_rtpm",
    "draw_molds_stability",
    "draw_real_recording",
    "draw_recording_excerpt",
    "draw_sorting_table",
    "draw_traces",
    "draw_training_data",
    "summarise",
]
