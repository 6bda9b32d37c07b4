"""Figures, methods text and the one-file HTML report. Import from the leaf modules."""
