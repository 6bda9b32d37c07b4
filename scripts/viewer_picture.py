"""The picture of the viewer in the documentation: the digital head, its masks, a distance and a region.

python scripts/viewer_picture.py        writes docs/images/viewer.jpg; needs Chromium, its driver and selenium
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

from cormack.cli.main import main

TARGET = Path(__file__).resolve().parent.parent / "docs" / "images" / "viewer.jpg"
SIZE = {"width": 1280, "height": 720, "deviceScaleFactor": 1, "mobile": False}
FLAGS = ("--headless", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
WAIT_S = 300
MEASURED = """const add = (...place) => cormack.measuring.addPoint(cormack.pane, 0, place);
cormack.setTool('distance'); add(0.38, 0.62, 0.5); add(0.62, 0.62, 0.5);
cormack.setTool('roi'); add(0.42, 0.42, 0.5); add(0.45, 0.42, 0.5);
cormack.setTool('crosshair')"""


def picture(folder: Path) -> bytes:
    """A screenshot (PNG) of the page that shows a folder."""
    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, f"--user-data-dir={tempfile.mkdtemp()}"):
        options.add_argument(flag)
    page = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    command = [sys.executable, "-m", "cormack", "view", str(folder), "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", SIZE)
        page.get(server.stdout.readline().strip() if server.stdout else "")
        shown = "return performance.getEntriesByName('volume-0').length"
        WebDriverWait(page, WAIT_S).until(lambda p: p.execute_script(shown))
        page.execute_script(MEASURED)
        page.execute_async_script("setTimeout(arguments[0], 3000)")
        png = page.get_screenshot_as_png()
        page.quit()
        server.terminate()
    return png


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        head, out = Path(scratch) / "head", Path(scratch) / "out"
        main(["phantom", str(head), "--slices", "160", "--thickness", "1", "--tilt", "0", "--quiet"])
        main(["run", str(head), str(out), "--participant-label", "01", "--quiet"])
        Image.open(io.BytesIO(picture(out))).convert("RGB").save(TARGET, quality=88)
