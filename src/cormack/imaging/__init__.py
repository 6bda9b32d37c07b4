"""Pure functions on volumes: units, conditioning, rectifying, reslicing, windows. No file formats."""
