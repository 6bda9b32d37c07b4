"""Words on a terminal; no logic."""
