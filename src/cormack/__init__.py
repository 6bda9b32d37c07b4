"""Cormack: from a head CT's DICOM to a brain mask, volumes and a report. Research use only."""
