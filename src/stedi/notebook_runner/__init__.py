"""Runs the notebooks in order with papermill."""
