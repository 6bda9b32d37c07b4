"""Rigid, affine and diffeomorphic registration; templates; labels through transforms. ANTs behind one adapter."""
