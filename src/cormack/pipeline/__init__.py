"""The only place where stages meet: order of steps, resuming, manifest, data sets."""
