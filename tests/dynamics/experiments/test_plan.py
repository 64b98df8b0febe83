"""What an experiment consists of."""

from __future__ import annotations

from spikeline.config.molds import ExperimentSettings
from spikeline.dynamics.experiments.plan import experiment_batches, experiment_tasks


def settings(**changed) -> ExperimentSettings:
    return ExperimentSettings(**{"figure": "molds_smd_rtpm", "trajectories": [10, 20], "steps": [30], **changed})


def test_every_combination_of_the_lists_is_a_cell_and_each_has_all_seeds() -> None:
    tasks = experiment_tasks(settings(n_components=[2, 3], observation_noise=[0.05, 0.5], seeds=3))
    assert len(tasks) == len({task["name"] for task in tasks}) == 2 * 2 * 2 * 3
    assert [task["seed"] for task in tasks] == sorted(task["seed"] for task in tasks)
    first = tasks[0]
    assert first["cell"] == "k2-n2-q0.01-r0.05-N10-T30" and first["name"] == f"{first['cell']}-s0"
    assert first["weights"] == [0.5, 0.5] and tasks[-1]["weights"] == [0.25, 0.35, 0.4]
    assert (first["n_inputs"], first["feedthrough"]) == (1, True)


def test_more_seeds_are_more_batches_at_the_end() -> None:
    few = experiment_batches(settings(seeds=2, tasks_per_job=2))
    more = experiment_batches(settings(seeds=5, tasks_per_job=2))
    assert list(few) == ["b0000", "b0001"] and len(more) == 5
    assert all(more[name] == batch for name, batch in few.items())


def test_no_task_changes_with_the_size_of_the_batches() -> None:
    one, many = (experiment_batches(settings(tasks_per_job=size)) for size in (3, 100))
    assert [t for batch in one.values() for t in batch.tasks] == [t for batch in many.values() for t in batch.tasks]


def test_pieces_are_as_many_as_the_largest_task_of_the_batch_needs() -> None:
    assert {batch.pieces for batch in experiment_batches(settings()).values()} == {1}
    pieces = experiment_batches(settings(trajectories_per_piece=8, tasks_per_job=1, seeds=1))
    assert [batch.pieces for batch in pieces.values()] == [2, 3]
