"""The table of right and wrong of a mask against a reference, and what follows from its four counts."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf, log, nan, sqrt

#: Standard normal deviate of a two-sided 95 % confidence interval.
Z_95 = 1.959963984540054


@dataclass(frozen=True)
class LikelihoodRatio:
    """A likelihood ratio and the ends of its 95 % confidence interval; NaN where it is not defined."""

    value: float
    low: float = nan
    high: float = nan


@dataclass(frozen=True)
class Confusion:
    """Counts of voxels: in both masks, in one of them alone, in neither. What divides by zero is NaN."""

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int

    @property
    def reference(self) -> int:
        """Voxels of the reference."""
        return self.true_positive + self.false_negative

    @property
    def predicted(self) -> int:
        """Voxels of the prediction."""
        return self.true_positive + self.false_positive

    @property
    def dice(self) -> float:
        """Sørensen–Dice coefficient (doi 10.2307/1932409)."""
        return _ratio(2 * self.true_positive, self.reference + self.predicted)

    @property
    def jaccard(self) -> float:
        """Jaccard index (doi 10.1111/j.1469-8137.1912.tb05611.x)."""
        return _ratio(self.true_positive, self.true_positive + self.false_positive + self.false_negative)

    @property
    def sensitivity(self) -> float:
        """Share of the reference that the prediction holds (recall)."""
        return _ratio(self.true_positive, self.reference)

    @property
    def specificity(self) -> float:
        """Share of what the reference leaves out that the prediction leaves out, too."""
        return _ratio(self.true_negative, self.true_negative + self.false_positive)

    @property
    def precision(self) -> float:
        """Share of the prediction that the reference holds (positive predictive value)."""
        return _ratio(self.true_positive, self.predicted)

    @property
    def positive_likelihood_ratio(self) -> LikelihoodRatio:
        """Sensitivity / (1 − specificity); infinite, without an interval, where nothing is falsely positive."""
        negatives = self.false_positive + self.true_negative
        return _likelihood_ratio(self.true_positive, self.reference, self.false_positive, negatives)

    @property
    def negative_likelihood_ratio(self) -> LikelihoodRatio:
        """(1 − sensitivity) / specificity; 0, without an interval, where nothing is falsely negative."""
        negatives = self.false_positive + self.true_negative
        return _likelihood_ratio(self.false_negative, self.reference, self.true_negative, negatives)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else nan


def _likelihood_ratio(with_it: int, positives: int, without_it: int, negatives: int) -> LikelihoodRatio:
    """Ratio of two shares with the logarithmic interval of Simel et al. 1991 (doi 10.1016/0895-4356(91)90128-v)."""
    if not positives or not negatives:
        return LikelihoodRatio(nan)
    if not with_it or not without_it:
        return LikelihoodRatio(nan if with_it == without_it else 0.0 if without_it else inf)
    ratio = (with_it / positives) / (without_it / negatives)
    spread = Z_95 * sqrt(1 / with_it - 1 / positives + 1 / without_it - 1 / negatives)
    return LikelihoodRatio(ratio, exp(log(ratio) - spread), exp(log(ratio) + spread))
