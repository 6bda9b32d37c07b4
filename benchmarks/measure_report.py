"""Seconds and memory of measuring and reporting, and the size of the page, on an analytic head of 512 x 512 x 240.

    python benchmarks/measure_report.py [columns] [slices]

Aims: measuring within 1.5 s, the report within 2.5 s and 3 MB, both on two cores.
"""

from __future__ import annotations

import resource
import sys
from time import perf_counter

import numpy as np

from cormack.core.labels import BRAIN, HEAD, LabelMap
from cormack.core.provenance import software_versions
from cormack.core.volume import Volume
from cormack.measure.scan import measure_scan
from cormack.report.content import ReportContent
from cormack.report.html import render_report


def analytic_head(columns: int, slices: int) -> tuple[Volume, LabelMap, LabelMap]:
    shape = (columns, columns, slices)
    affine = np.diag([230 / columns, 230 / columns, 150 / slices, 1.0])
    axes = [np.linspace(-1.15, 1.15, n, dtype=np.float32) ** 2 for n in shape]
    data = np.empty(shape, np.int16, order="F")
    head, brain = np.empty(shape, np.uint8, order="F"), np.empty(shape, np.uint8, order="F")
    noise = np.random.default_rng(0)
    for k in range(slices):
        radius = axes[0][:, None] + axes[1][None, :] + axes[2][k]
        plane = np.select([radius < 0.7, radius < 0.85, radius < 1], [32, 1200, 50], -1000)
        data[:, :, k] = plane + noise.normal(0, 5, plane.shape)
        head[:, :, k], brain[:, :, k] = radius < 1, radius < 0.7
    return Volume(data, affine), LabelMap(head, affine, HEAD), LabelMap(brain, affine, BRAIN)


def main() -> None:
    given = [int(argument) for argument in sys.argv[1:3]]
    columns, slices = (*given, *(512, 240)[len(given) :])
    volume, head, brain = analytic_head(columns, slices)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = perf_counter()
    measures = measure_scan(volume, head, brain, measured=np.ones(volume.shape, bool, order="F"))
    measured = perf_counter()
    page = render_report(ReportContent("sub-benchmark", volume, head, brain, measures, versions=software_versions()))
    done = perf_counter()
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"grid              {columns} x {columns} x {slices}")
    print(f"measure_scan      {measured - start:.2f} s (aim 1.5)")
    print(f"render_report     {done - measured:.2f} s (aim 2.5)")
    print(f"page              {len(page.encode()) / 1e6:.2f} MB (aim 3, limit 15)")
    print(f"memory on top     {after - before:.0f} MiB")


if __name__ == "__main__":
    main()
