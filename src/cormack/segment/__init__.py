"""Structures found in volumes: lungs on chest CT."""
