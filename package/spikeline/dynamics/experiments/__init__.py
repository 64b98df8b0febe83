"""Experiments on simulated mixtures: the table of tasks, and what each rule of the workflow does to a file of them."""
