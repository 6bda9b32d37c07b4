"""File formats other than DICOM: NIfTI, BIDS data sets and derivatives, outputs that appear whole or not at all."""
