"""Volumes, intensities, coverage and quality of a scan. Import from the leaf modules."""
