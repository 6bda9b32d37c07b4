"""DICOM in and out: find instances, choose the series, assemble its slices. Only this room knows LPS+ and pydicom."""
