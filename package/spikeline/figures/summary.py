"""The run's headline numbers, keyed ``system.figure.metric``: what a person or a check reads first."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from spikeline.artifacts import read_json
from spikeline.errors import FormatError
from spikeline.figures.detection import best_of_each, simsort_default
from spikeline.figures.sorting_table import accuracy_margins
from spikeline.figures.tables import read_table

__all__ = [
    "bank_summary",
    "detection_summary",
    "flattened",
    "identification_summary",
    "margin_summary",
    "scores_summary",
    "summarise",
]

_RULES = ("spikeinterface", "simsort")
_COUNTS = ("units_true", "units_found", "well_detected", "false_positive", "redundant", "over_merged")


def _number(value: Any) -> float | int | None:
    """A JSON number: whole counts as int, undefined values as None."""
    value = float(value)
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < 2**53 else round(value, 9)


def bank_summary(bank_csv: str | Path) -> dict[str, float | int | None]:
    """``simulation.bank.*`` from the bank table: the worst errors over all entries, and how much there is."""
    bank = read_table(
        bank_csv, ["cell"], ["rank", "n_segments", "max_error_uv", "rms_error_percent", "n_spikes", "duration_s"]
    )
    values = {
        "cells": bank["cell"].nunique(),
        "duration_s": bank["duration_s"].sum(),
        "entries": len(bank),
        "max_error_uv": bank["max_error_uv"].max(skipna=False),
        "mean_rank": bank["rank"].mean(),
        "rms_error_percent": bank["rms_error_percent"].max(skipna=False),
        "silent_entries": int((bank["n_spikes"] == 0).sum()),
        "spikes": bank["n_spikes"].sum(),
    }
    return {f"simulation.bank.{name}": _number(value) for name, value in values.items()}


def scores_summary(scores_csv: str | Path, counts_csv: str | Path) -> dict[str, float | int | None]:
    """``sorting.{recording}.{sorter}.*``: mean accuracy, precision and recall by each rule, and the unit counts.

    A recording may be simulated, or a real one whose true spikes are known.
    """
    measures = ["accuracy", "precision", "recall"]
    scores = read_table(scores_csv, ["recording", "sorter", "rule"], measures, may_be_empty=True)
    counts = read_table(counts_csv, ["recording", "sorter"], _COUNTS, may_be_empty=True)
    unknown = sorted(set(scores["rule"]) - set(_RULES))
    if unknown:
        raise FormatError(
            f"{scores_csv} has the rule {', '.join(unknown)}", f"the rules {', '.join(_RULES)}", "make the table again"
        )
    found: dict[str, float | int | None] = {}
    for (recording, sorter, rule), units in scores.groupby(["recording", "sorter", "rule"]):
        for measure in measures:
            # An undefined precision (nothing found) counts as none: a sorter gains nothing by finding less.
            found[f"sorting.{recording}.{sorter}.{measure}_{rule}"] = _number(units[measure].fillna(0.0).mean())
    for row in counts.itertuples():
        for name in _COUNTS:
            found[f"sorting.{row.recording}.{row.sorter}.{name}"] = _number(getattr(row, name))
    return found


def detection_summary(detection_csv: str | Path) -> dict[str, float | int | None]:
    """``simsort.detection.*``: means of F1 over the simulated recordings that have a unit with an SNR above 5.

    ``recordings``: how many these are; without such a unit there is nothing to be found, and no F1.
    ``f1``: SimSort's network at even odds; ``f1_in_sorter``: at the probability above which the sorter looks at events.
    ``f1_threshold_fixed``: the plain detector and threshold that are best on all recordings together.
    ``f1_best`` and ``f1_threshold_best``: the network, and whichever plain detector is best on a recording, each at the
    threshold that is best there, chosen by the true spikes.
    """
    scores = read_table(detection_csv, ["recording", "data", "detector", "default", "in_sorter"], ["threshold", "f1"])
    for mark in ("default", "in_sorter"):
        scores[mark] = scores[mark].astype(str) == "True"
    scores = scores[scores["data"] == "simulated"]
    best = best_of_each(scores)
    plain = best[best["detector"] != "simsort"].groupby("recording")["f1"].max()
    fixed = scores[scores["detector"] != "simsort"].groupby(["detector", "threshold"])["f1"].mean()
    own = simsort_default(scores)["f1"]
    values = {
        "recordings": own.count(),
        "f1": own.mean(),
        "f1_in_sorter": scores.loc[scores["in_sorter"], "f1"].mean(),
        "f1_best": best.loc[best["detector"] == "simsort", "f1"].mean(),
        "f1_threshold_best": plain.mean(),
        "f1_threshold_fixed": fixed.max(),
    }
    return {f"simsort.detection.{name}": _number(value) for name, value in values.items()}


def identification_summary(identification_csv: str | Path) -> dict[str, float | int | None]:
    """``simsort.identification.*``: means of the adjusted Rand index over the simulated recordings.

    Under the sorter's own clustering: ``ari`` of the embedding, ``ari_pca``, ``ari_pca_told`` (components that are told
    their scatter within true units), ``ari_umap`` (told likewise), and by how much the embedding's exceeds that of
    principal components (``ari_margin``, ``ari_margin_pca_told``) and of UMAP (``ari_margin_umap``).
    """
    scores = read_table(identification_csv, ["recording", "data", "feature", "clustering"], ["ari"])
    own = scores[(scores["data"] == "simulated") & (scores["clustering"] == "mixture")]
    means = own.groupby("feature")["ari"].mean().reindex(["embedding", "pca", "pca_told", "umap"])
    values = {
        "ari": means["embedding"],
        "ari_pca": means["pca"],
        "ari_pca_told": means["pca_told"],
        "ari_umap": means["umap"],
        "ari_margin": means["embedding"] - means["pca"],
        "ari_margin_pca_told": means["embedding"] - means["pca_told"],
        "ari_margin_umap": means["embedding"] - means["umap"],
    }
    return {f"simsort.identification.{name}": _number(value) for name, value in values.items()}


def margin_summary(
    scores_csv: str | Path, simsort: str, peers: Collection[str], tetrodes: Collection[str]
) -> dict[str, float | int | None]:
    """``simsort.sorting.*``: mean accuracy less that of the best other sorter, where both are.

    ``accuracy_margin``: over the units of all tetrodes, by SpikeInterface's rule, and ``accuracy_margin_simsort_rule``
    by SimSort's (`spikeline.figures.sorting_table.accuracy_margins`). ``accuracy_margin_least``: by SpikeInterface's
    rule on the recording where it is smallest, of all that were sorted, dense probes and drift among them.
    """
    scores = read_table(scores_csv, ["recording", "sorter", "rule"], ["accuracy"], may_be_empty=True)
    found: dict[str, float | int | None] = {}
    for rule, name in (("spikeinterface", "accuracy_margin"), ("simsort", "accuracy_margin_simsort_rule")):
        margins = accuracy_margins(scores, simsort, peers, tetrodes, rule)
        if len(margins):
            found[f"simsort.sorting.{name}"] = _number(margins["margin"].iloc[-1])
    each = accuracy_margins(scores, simsort, peers, scores["recording"].unique())["margin"].iloc[:-1]
    return found | ({"simsort.sorting.accuracy_margin_least": _number(each.min())} if len(each) else {})


def flattened(document: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one, keys joined by dots; a document that is flat already stays as it is."""
    flat: dict[str, Any] = {}
    for key, value in document.items():
        name = f"{prefix}{key}"
        flat.update(flattened(value, f"{name}.") if isinstance(value, Mapping) else {name: value})
    return flat


def summarise(
    bank_csv: str | Path | None = None,
    scores_csv: str | Path | None = None,
    counts_csv: str | Path | None = None,
    parts: str | Path | Iterable[str | Path] = (),
    *,
    real: Iterable[tuple[str | Path, str | Path]] = (),
    detection_csv: str | Path | None = None,
    identification_csv: str | Path | None = None,
    simsort: str | None = None,
    peers: Collection[str] = (),
    tetrodes: Collection[str] = (),
) -> dict[str, Any]:
    """Everything in one flat document, sorted by key.

    Parameters
    ----------
    bank_csv
        The bank table, or None where no bank was made.
    scores_csv, counts_csv
        The score tables, both or neither.
    parts
        JSON documents with more numbers, nested or flat, e.g. ``{"simulation": {"placement": {...}}}``.
    real
        Scores and counts of each real recording.
    detection_csv, identification_csv
        The tables of these figures, or None.
    simsort, peers, tetrodes
        Which sorter is compared with which others on which recordings; without SimSort there is no such number.

    Raises
    ------
    FormatError
        If a table or document is broken, or two of them give the same key.
    """
    documents: list[tuple[str, dict[str, Any]]] = []
    if bank_csv is not None:
        documents.append((str(bank_csv), bank_summary(bank_csv)))
    if (scores_csv is None) != (counts_csv is None):
        raise FormatError("one of scores and counts is missing", "both tables, or neither", "pass both")
    if scores_csv is not None and counts_csv is not None:
        documents.append((str(scores_csv), scores_summary(scores_csv, counts_csv)))
        if simsort is not None:
            documents.append((str(scores_csv), margin_summary(scores_csv, simsort, peers, tetrodes)))
    documents += [(str(scores), scores_summary(scores, counts)) for scores, counts in real]
    if detection_csv is not None:
        documents.append((str(detection_csv), detection_summary(detection_csv)))
    if identification_csv is not None:
        documents.append((str(identification_csv), identification_summary(identification_csv)))
    for part in sorted(map(str, [parts] if isinstance(parts, str | Path) else parts)):
        document = read_json(part)
        if not isinstance(document, Mapping):
            raise FormatError(
                f"{part} holds a {type(document).__name__}", "a JSON object of names and numbers", "make the part again"
            )
        documents.append((part, flattened(document)))
    summary: dict[str, Any] = {}
    for source, document in documents:
        twice = sorted(set(summary) & set(document))
        if twice:
            raise FormatError(
                f"{source} gives {twice[0]} a second time", "each key from one place", "rename or drop one of them"
            )
        summary.update(document)
    return dict(sorted(summary.items()))
