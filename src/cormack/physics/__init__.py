"""Digital phantoms and the scanner that images them: truth that is known because it was computed."""
