"""A server on loopback and a headless browser, started and stopped by the tests themselves."""

from __future__ import annotations

import shutil
import threading
from queue import Queue

import pytest
import uvicorn

from cormack.viewer.serve import serve
from cormack.viewer.sources import find_sources

START_S = 120
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
#: Without a graphics card WebGL is drawn by SwiftShader; the rest keeps the browser from calling home.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--hide-scrollbars",
)


@pytest.fixture(scope="session")
def start():
    """Start a server for some paths; returns the address of its page."""
    running, threads = [], []

    class Recorded(uvicorn.Server):
        def __init__(self, config):
            super().__init__(config)
            running.append(self)

    def begin(*paths, labels=()):
        address = Queue()
        arguments = {"sources": find_sources(paths, labels), "ready": address.put}
        threads.append(threading.Thread(target=serve, kwargs=arguments))
        threads[-1].start()
        return address.get(timeout=START_S)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cormack.viewer.serve.uvicorn.Server", Recorded)
        yield begin
    for server in running:
        server.should_exit = True
    for thread in threads:
        thread.join(START_S)


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """A headless Chromium of 1280 x 720 pixels."""
    binary = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.skip("no Chromium and its driver here (Debian: chromium, chromium-driver)")
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(flag)
    page = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    page.set_script_timeout(START_S)
    size = {"width": 1280, "height": 720, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    yield page
    page.quit()
