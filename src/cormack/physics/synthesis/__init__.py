"""Labelled head images made from label maps: unlimited training data with known truth."""
