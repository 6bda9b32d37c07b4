"""Run packaged networks on volumes: weights, channels, tiles, engines. No torch, no file formats but the network's own."""
