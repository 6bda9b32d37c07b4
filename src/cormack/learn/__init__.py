"""Train, evaluate and export networks; the only room with torch (extra `learn`)."""
