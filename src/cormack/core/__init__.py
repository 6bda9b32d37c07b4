"""Nouns: volumes, labels, findings, provenance, errors. Depends on numpy alone."""
