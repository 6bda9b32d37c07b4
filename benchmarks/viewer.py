"""Seconds until the viewer answers and until a browser shows a scan, from the page's own performance marks.

python benchmarks/viewer.py [SCAN ...] [--repeats 3]

Without a SCAN a CT of 512 x 512 x 238 voxels is made up. Needs Chromium, its driver and selenium. Without a graphics
card the browser draws by SwiftShader on the processor, which is the slowest that anybody will meet.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

from cormack.core.volume import Volume
from cormack.files.nifti import write_volume

WAIT_S = 300
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu-sandbox", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--use-gl=angle", "--use-angle=swiftshader",
         "--enable-unsafe-swiftshader", "--window-size=1280,720")  # fmt: skip
RENDERER = """const gl = document.createElement('canvas').getContext('webgl2');
return gl.getParameter(gl.getExtension('WEBGL_debug_renderer_info').UNMASKED_RENDERER_WEBGL)"""
MARKS = """const at = n => performance.getEntriesByName(n)[0]?.startTime / 1000;
const got = performance.getEntriesByType('resource').find(e => e.name.endsWith('/voxels'));
return [got.responseEnd / 1000, at('shown-0'), at('volume-0')]"""


def made_up(folder: Path) -> Path:
    """A ball of tissue with noise, as a compressed NIfTI file."""
    shape = (512, 512, 238)
    axes = np.ogrid[tuple(slice(-1, 1, n * 1j) for n in shape)]
    inside = sum(axis**2 for axis in axes) < 0.6
    noise = np.random.default_rng(1).normal(0, 8, shape).astype(np.float32)
    data = (np.where(inside, 40, -1000) + noise).astype(np.int16)
    path = folder / "scan.nii.gz"
    write_volume(path, Volume(np.asfortranarray(data), np.diag([0.45, 0.45, 0.625, 1.0])))
    return path


def browser() -> webdriver.Chrome:
    """A headless browser with a profile of its own."""
    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, f"--user-data-dir={tempfile.mkdtemp()}"):
        options.add_argument(flag)
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))


def once(page: webdriver.Chrome, path: Path, *, wait_s: float) -> list[float]:
    """Seconds: address printed, voxels in the page, slices shown, 3-D picture shown; the last three from the request.

    The browser comes after `wait_s`, as it does when a person's own has to start or come to the front.
    """
    command = [sys.executable, "-m", "cormack", "view", str(path), "--no-browser"]
    begun = perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        address = server.stdout.readline().strip() if server.stdout else ""
        started = perf_counter() - begun
        if wait_s:
            WebDriverWait(page, wait_s + 1).until(lambda _: perf_counter() - begun > wait_s)
        page.get(address)
        shown = "return performance.getEntriesByName('volume-0').length"
        WebDriverWait(page, WAIT_S, poll_frequency=0.1).until(lambda p: p.execute_script(shown))
        marks = page.execute_script(MARKS)
        server.terminate()
    return [started, *marks]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scans", nargs="*", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--wait", type=float, default=0.0, help="seconds between start and browser")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scans = arguments.scans or [made_up(Path(folder))]
        page = browser()
        page.get("about:blank")
        print(f"drawn by {page.execute_script(RENDERER)}; medians of {arguments.repeats}, seconds")
        print(f"{'scan':<28}{'address':>10}{'voxels':>10}{'slices':>10}{'3-D':>10}")
        for scan in scans:
            runs = [once(page, scan, wait_s=arguments.wait) for _ in range(arguments.repeats)]
            columns = "".join(f"{statistics.median(column):>10.2f}" for column in zip(*runs, strict=True))
            print(f"{scan.name:<28}{columns}")
        print(f"{'target':<28}{'<= 2':>10}{'':>10}{'<= 3':>10}")
        page.quit()


if __name__ == "__main__":
    main()
