"""Run packaged networks on volumes: weights, channels, tiles, engines. No torch, no image formats."""
