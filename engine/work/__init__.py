"""The worker plane: one process a run, started with the run's folder and knowing nothing of the database."""
