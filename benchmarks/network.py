"""Figures of networks: engines side by side, and from a CT's file to its brain mask.

    python benchmarks/network.py [--engines] [--file FILE.nii.gz] [--threads N]

`--engines` runs the default architecture (U-Net, channels 8 to 96, random weights; extra learn) on one grid of
112 x 128 x 112 voxels in OpenVINO at 32-bit floats, ONNX Runtime and PyTorch, each in a process of its own. Without it
a CT of 512 x 512 x 238 voxels (the digital head, or FILE) goes from file to mask; targets: 3 s and 1.5 GB, 1 s of
inference, 0.5 s to the network's grid.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from time import perf_counter

import numpy as np

SHAPE = (112, 128, 112)
SLICES, SLICE_MM = 238, 0.7
RUNS = 5
ENGINES = ("openvino", "onnxruntime", "torch")
MOST_SECONDS, MOST_MB, MOST_INFERENCE_S, MOST_GRID_S = 3.0, 1500.0, 1.0, 0.5


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def export(path: Path) -> None:
    import torch

    from cormack.learn.unet import UNet

    torch.manual_seed(0)
    axes = {"image": {0: "n", 2: "i", 3: "j", 4: "k"}, "logits": {0: "n", 2: "i", 3: "j", 4: "k"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            UNet(3, 2, 1).eval(),
            (torch.zeros(1, 2, 64, 64, 64),),
            str(path),
            input_names=["image"],
            output_names=["logits"],
            dynamic_axes=axes,
            dynamo=False,
        )


def run_engine(engine: str, model: Path, threads: int) -> None:
    """Print one row of the table; called in a process of its own, so that memory is the engine's alone."""
    image = np.random.default_rng(0).standard_normal((1, 2, *SHAPE)).astype(np.float32)
    start = perf_counter()
    if engine == "torch":
        import torch

        from cormack.learn.unet import UNet

        torch.set_num_threads(threads)
        network = UNet(3, 2, 1).eval()

        def infer() -> None:
            with torch.inference_mode():
                network(torch.from_numpy(image))
    else:
        from cormack.nn.engine import open_session

        session = open_session(model, engine=engine, threads=threads)

        def infer() -> None:
            session.run(image)

    ready = perf_counter() - start
    seconds = []
    for _ in range(RUNS):
        start = perf_counter()
        infer()
        seconds.append(perf_counter() - start)
    print(f"| {engine} | {ready:.2f} | {seconds[0]:.2f} | {np.median(seconds[1:]):.2f} | {peak_mb():.0f} |", flush=True)


def engines(threads: int) -> None:
    print(
        "| engine | load s | first run s | later runs s (median) | peak MB |\n| --- | --- | --- | --- | --- |",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.onnx"
        export(model)
        for engine in ENGINES:
            command = [sys.executable, __file__, "--engine", engine, "--model", str(model), "--threads", str(threads)]
            subprocess.run(command, check=True)


def write_head(path: Path) -> None:
    """The digital head as a CT of the target's size; in a process of its own: its memory is no part of the figures."""
    import nibabel as nib

    from cormack.imaging.condition import condition
    from cormack.imaging.rectify import rectify
    from cormack.physics.demo import DemoOptions, demo

    scanned = demo(DemoOptions(0.0, SLICES, SLICE_MM))
    conditioned = condition(scanned.head, (scanned.options.padding_hu,))
    volume = rectify(conditioned.stack, padded=conditioned.padded).volume
    image = nib.Nifti1Image(np.asarray(volume.data, dtype=np.int16), volume.affine)
    image.header.set_xyzt_units("mm")
    nib.save(image, path)


def file_to_mask(path: Path, threads: int | None) -> int:
    from cormack.extract.edge import draw_edge
    from cormack.extract.network import NAME, find_inside
    from cormack.files.nifti import read_stack
    from cormack.nn.grid import onto_grid
    from cormack.nn.predict import predict_grid
    from cormack.nn.store import load_network

    start = perf_counter()
    stack, _ = read_stack(path)
    volume = stack.to_volume()
    read = perf_counter()
    network = load_network(NAME, threads=threads)
    loaded = perf_counter()
    found = find_inside(volume, network)
    inside = perf_counter()
    mask = draw_edge(volume, found.hu, found.probability, found.around)
    end = perf_counter()
    memory = peak_mb()
    # Parts of `find_inside`, once more.
    onto_grid(volume, network.task.input)
    grid_s = perf_counter() - end
    begin = perf_counter()
    predict_grid(found.hu, network)
    inference_s = perf_counter() - begin
    ml = np.count_nonzero(mask) * volume.voxel_volume_ml
    print(f"{volume.shape}: {ml:.0f} ml, bone along {found.around.bony_share:.0%}")
    print("| read s | load network s | find s | (grid s | inference s) | edge s | all s | peak MB |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    print(
        f"| {read - start:.2f} | {loaded - read:.2f} | {inside - loaded:.2f} | {grid_s:.2f} | {inference_s:.2f} "
        f"| {end - inside:.2f} | {end - start:.2f} | {memory:.0f} |"
    )
    limits = (MOST_SECONDS, MOST_MB, MOST_INFERENCE_S, MOST_GRID_S)
    missed = sum(v > limit for v, limit in zip((end - start, memory, inference_s, grid_s), limits, strict=True))
    print(f"targets missed: {missed}")
    return 1 if missed else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engines", action="store_true")
    parser.add_argument("--file", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    for name in ("--engine", "--model", "--write"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.engine:
        run_engine(chosen.engine, Path(chosen.model), chosen.threads)
        return 0
    if chosen.write:
        write_head(Path(chosen.write))
        return 0
    if chosen.engines:
        engines(chosen.threads)
        return 0
    if chosen.file:
        return file_to_mask(chosen.file, chosen.threads)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "head.nii.gz"
        subprocess.run([sys.executable, __file__, "--write", str(path)], check=True)
        return file_to_mask(path, chosen.threads)


if __name__ == "__main__":
    sys.exit(main())
