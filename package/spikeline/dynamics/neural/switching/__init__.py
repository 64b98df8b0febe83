"""A switching linear system, compared with: one whose dynamics may change from step to step within a trial."""
