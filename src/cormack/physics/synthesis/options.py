"""What synthetic images vary in: ranges and probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cormack.physics.synthesis.hounsfield import HU_RANGES, Range
from cormack.physics.synthesis.pathology import Pathology


@dataclass(frozen=True)
class PoseOptions:
    """Size, place and form of a head; shared by CT and MR.

    Parameters
    ----------
    scale : range
        Factor on the anatomy's size. BrainWeb's models are as large as the MNI brain: 0.9 is a usual head.
    stretch : float
        Greatest deviation of one axis from the common factor.
    turn_deg : float
        Greatest turn about each axis, usually …
    wide_turn_deg, wide_turn : float
        … and this, with this probability.
    shift_mm : float
    bends : tuple of (spacing_mm, largest_mm)
        Lattices of random displacements; no folds while the sum of largest / spacing stays below 0.4.
    ventricles : range
        Gain of the ventricles' size; 0.7 is hydrocephalus, 1.5 the most, below 0 they are slit-like.
    mirrored : float
        Probability of a head with left and right exchanged.
    """

    scale: Range = (0.78, 0.98)
    stretch: float = 0.06
    turn_deg: float = 10.0
    wide_turn_deg: float = 30.0
    wide_turn: float = 0.3
    shift_mm: float = 12.0
    bends: tuple[Range, ...] = ((64.0, 10.0), (28.0, 3.0))
    ventricles: Range = (-0.25, 0.75)
    mirrored: float = 0.5


@dataclass(frozen=True)
class CtSynthesis:
    """Ranges and probabilities of synthetic CT.

    Parameters
    ----------
    pose : PoseOptions
    hounsfield : mapping
        Range of the mean of a tissue, by the name of the `Tissue` in small letters; others keep `HU_RANGES`.
    variation_hu : range
        Smooth differences within soft tissue.
    thickness_mm, thin : range, float
        Slice thickness; `thin` is the probability of slices thinner than the grid. Slices follow each other at 0.8 to
        1.3 times the thickness.
    tilted, tilt_deg : float
        Probability and greatest size of a gantry tilt.
    noise_hu : range
        Standard deviation on the grid, drawn evenly in the logarithm.
    sharp : float
        Probability of a bone kernel; `blur_px` and `overshoot` are the ranges for soft and bone kernels.
    base_cut, top_cut, neck : float
        Probabilities that the scan starts above the foramen magnum, ends below the vertex, reaches down the neck.
    narrow_view : float
        Probability that the reconstructed field of view cuts the head's sides.
    padding_hu : tuple
        Values outside of a circular field of view.
    rest, table, blanket : float
        Probabilities of what lies around the head.
    pathology : Pathology
        Probability of every finding.
    haematoma_target : int
        Label of haematomas between bone and brain in anatomies with several targets; 0: that of the fluid there.
    beam_hardening, hardening_hu_per_mm : float, range
        Probability and strength of dark bands between the petrous bones.
    cupping_hu : range
        HU that soft tissue gains next to bone; below 0 nothing is gained.
    cupping_mm : range
        Standard deviation of the Gaussian by which what is gained falls off from bone.
    motion : float
        Probability that some slices show doubled edges.
    brain_extracted : float
        Probability that only the intracranial space is left, -1000 HU around it; for anatomies with several targets.
    mask_error_mm, mask_cut_mm : range
        How far beyond the inner table the surface of what is left lies, from place to place, and how far above the
        lowest target it ends.
    """

    pose: PoseOptions = field(default_factory=PoseOptions)
    hounsfield: Mapping[str, Range] = field(default_factory=lambda: dict(HU_RANGES))
    variation_hu: Range = (0.5, 2.5)
    thickness_mm: Range = (2.0, 7.0)
    thin: float = 0.5
    tilted: float = 0.35
    tilt_deg: float = 20.0
    noise_hu: Range = (1.0, 18.0)
    sharp: float = 0.25
    blur_px: Range = (0.1, 0.65)
    overshoot: Range = (0.05, 0.6)
    base_cut: float = 0.2
    top_cut: float = 0.15
    neck: float = 0.35
    narrow_view: float = 0.12
    padding_hu: tuple[float, ...] = (-1000.0, -1024.0, -1500.0, -2000.0, -3024.0)
    rest: float = 0.6
    table: float = 0.25
    blanket: float = 0.3
    pathology: Pathology = field(default_factory=Pathology)
    haematoma_target: int = 0
    beam_hardening: float = 0.4
    hardening_hu_per_mm: Range = (0.1, 0.8)
    cupping_hu: Range = (0.0, 0.0)
    cupping_mm: Range = (6.0, 6.0)
    motion: float = 0.08
    brain_extracted: float = 0.0
    mask_error_mm: Range = (-1.0, 1.5)
    mask_cut_mm: Range = (0.0, 25.0)


@dataclass(frozen=True)
class MrSynthesis:
    """Ranges and probabilities of synthetic MR.

    Parameters
    ----------
    pose : PoseOptions
    random_contrast : float
        Probability that every tissue draws any intensity (Billot et al. 2023, doi 10.1016/j.media.2023.102789);
        otherwise the image is T1-weighted.
    intensities : mapping
        Range of a tissue in T1 weighting, by the name of the `Tissue` in small letters, white matter being about 1;
        others keep `intensities.T1_RANGES`.
    bias : range
        Size of the bias field: standard deviation of its logarithm.
    variation : range
        Smooth differences within tissue, relative.
    noise : range
        Standard deviation of Rician noise, white matter being about 1.
    thickness_mm, thick : range, float
        Slices of such thickness, along any axis, with this probability.
    ghosting, ringing : float
        Probability of a ghost by motion along the phase axis, and of Gibbs ringing.
    defaced : float
        Probability that the face is cut off.
    neck_cut : float
        Probability that the image ends at the skull's base instead of in the neck.
    raised_mm : range
        The head lies so far above the middle of the field of view, which then shows more of neck and shoulders.
    wide_sulci : float
        Probability that sulci are wide, by up to 2 mm, in places that a smooth field draws.
    sharpness : range
        What a Gaussian of 0.7 voxels takes away is added so many times: images resampled with a kernel that
        overshoots are sharper than the average over a voxel (0), interpolated ones less sharp (negative).
    pathology : Pathology
    """

    pose: PoseOptions = field(default_factory=PoseOptions)
    random_contrast: float = 0.0
    intensities: Mapping[str, Range] = field(default_factory=dict)
    bias: Range = (0.0, 0.35)
    variation: Range = (0.01, 0.06)
    noise: Range = (0.005, 0.08)
    thickness_mm: Range = (2.0, 6.0)
    thick: float = 0.3
    ghosting: float = 0.2
    ringing: float = 0.2
    defaced: float = 0.15
    neck_cut: float = 0.3
    raised_mm: Range = (0.0, 0.0)
    wide_sulci: float = 0.0
    sharpness: Range = (0.0, 0.0)
    pathology: Pathology = field(
        default_factory=lambda: Pathology(healthy=0.6, contrast_agent=0.1, dental_metal=0.0, craniectomy=0.03)
    )
