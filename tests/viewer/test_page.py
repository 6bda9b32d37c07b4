"""The page in a real browser, on a phantom whose distances, angles and values are known."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from cormack.core.labels import LabelMap, LabelTable
from cormack.core.volume import Volume
from cormack.files.nifti import write_labels, write_volume
from cormack.imaging.windows import WINDOWS, apply_window

pytest.importorskip("selenium")
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

WAIT_S = 240
#: A grid that is turned about z, with unequal voxels: what is in voxels is not in millimetres.
TURN = np.deg2rad(10)
SPACING = np.array([1.0, 1.5, 2.5])
SHAPE = (96, 72, 36)
#: Two markers, in voxels; 60 voxels of 1 mm apart.
MARKERS = ((18, 36, 18), (78, 36, 18))


def phantom_affine():
    affine = np.eye(4)
    affine[:2, :2] = [[np.cos(TURN), -np.sin(TURN)], [np.sin(TURN), np.cos(TURN)]]
    affine[:3, :3] *= SPACING
    affine[:3, 3] = -affine[:3, :3] @ (np.array(SHAPE) / 2)
    return affine


def phantom_values():
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in SHAPE), indexing="ij"), axis=-1)
    radius_mm = np.linalg.norm((grid - np.array(SHAPE) / 2) * SPACING, axis=-1)
    data = np.where(radius_mm < 38, 40, -1000).astype(np.int16)
    data[radius_mm < 12] = 60
    for marker in MARKERS:
        data[marker] = 1000
    return data, radius_mm


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    data, radius_mm = phantom_values()
    affine = phantom_affine()
    write_volume(folder / "scan.nii", Volume(data, affine))
    write_volume(folder / "later.nii", Volume(data + np.int16(5), affine))
    labels = np.where(radius_mm < 12, 2, np.where(radius_mm < 25, 1, 0)).astype(np.uint8)
    write_labels(folder / "parts_dseg.nii", LabelMap(labels, affine, LabelTable(())))
    (folder / "parts_dseg.tsv").write_text("index\tname\tcolor\n1\tshell\t#ff0000\n2\tcore\t#00ff00\n")
    return folder


class Page:
    """A page that is open, and short words for what the tests do with it."""

    def __init__(self, browser, address, *, shown=("shown-0", "volume-0")):
        self.browser = browser
        browser.get(address)
        if shown:
            self.until(f"return {json.dumps(shown)}.every(n => performance.getEntriesByName(n).length)")

    def js(self, code):
        return self.browser.execute_script(code)

    def until(self, code):
        WebDriverWait(self.browser, WAIT_S, poll_frequency=0.05).until(lambda browser: browser.execute_script(code))

    def settle(self):
        """Two frames: what was asked for is drawn."""
        self.browser.execute_async_script(
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()))"
        )

    def keys(self, *keys):
        ActionChains(self.browser).send_keys(*keys).perform()
        self.settle()

    def places(self, voxels, pane=0):
        """Where the centres of voxels lie in the window (CSS pixels)."""
        return self.js(
            f"const pane = cormack.panes[{pane}], tile = pane.slices.screenSlices[0];"
            "const box = pane.canvas.getBoundingClientRect(), ratio = pane.pixelRatio;"
            f"return {np.asarray(voxels, float).tolist()}.map(voxel => {{"
            "  const [x, y] = pane.slices.project(pane.scan.geometry.fraction(voxel), tile);"
            "  return [box.left + x / ratio, box.top + y / ratio]; })"
        )

    def place(self, voxel, pane=0):
        return self.places([voxel], pane)[0]

    def click(self, voxel):
        x, y = self.place(voxel)
        actions = ActionChains(self.browser, duration=20)
        actions.w3c_actions.pointer_action.move_to_location(round(x), round(y))
        actions.w3c_actions.pointer_action.click()
        actions.perform()
        self.settle()

    def picture(self):
        self.settle()
        return np.asarray(Image.open(io.BytesIO(self.browser.get_screenshot_as_png())).convert("RGB")).astype(int)

    def color(self, voxel):
        """Mean colour of the middle of a voxel on the screen."""
        x, y = map(round, self.place(voxel))
        return self.picture()[y - 1 : y + 2, x - 1 : x + 2].mean(axis=(0, 1))

    def text(self, identity):
        return self.js(f"return document.getElementById('{identity}').textContent")

    def measured(self):
        return self.js("return cormack.measuring.list.map(m => m.text)")


@pytest.fixture(scope="module")
def opened(browser, start, files):
    return Page(browser, start(files / "scan.nii", labels=[files / "parts_dseg.nii"]))


@pytest.fixture
def page(opened):
    """The page as it is after loading, the axial plane alone, without crosshair and structures."""
    opened.js(
        "cormack.setTool('crosshair'); cormack.measuring.list = [];"
        "cormack.crosshair = false; cormack.setOutlines(false);"
        "for (const structure of cormack.pane.scan.structures)"
        "  cormack.setStructure(structure, {visible: false, opacity: 0.25});"
        "Object.assign(cormack.pane.slices.look, {smoothly: true});"
        "cormack.resetView(); cormack.setLayout('axial'); cormack.preset(0); cormack.centre(); cormack.refresh();"
        "document.activeElement.blur()"
    )
    opened.settle()
    return opened


def test_a_slice_is_drawn_as_the_window_says(page):
    page.js("cormack.toggleSmooth()")
    data, _ = phantom_values()
    for preset, name in enumerate(("brain", "subdural", "stroke")):
        page.js(f"cormack.preset({list(WINDOWS).index(name)})")
        picture = page.picture()
        voxels = np.argwhere(data[:, :, 18] > -1000)[:: 11 + preset]
        places = np.rint(page.places([(*ij, 18) for ij in voxels])).astype(int)
        expected = apply_window(data[:, :, 18], WINDOWS[name])[tuple(voxels.T)]
        difference = np.abs(picture[places[:, 1], places[:, 0]] - expected[:, None]).max(axis=1)
        # Letters and the scale lie over a few voxels.
        assert np.quantile(difference, 0.95) <= 1, name


def test_the_window_follows_the_mouse_the_keys_and_the_fields(page):
    before = page.color((48, 20, 18)).mean()
    page.keys("]")
    assert float(page.js("return document.getElementById('width').value")) == pytest.approx(88)
    page.keys("3")
    assert page.js("return document.getElementById('preset').value") == list(WINDOWS)[2]
    x, y = map(round, page.place((48, 36, 18)))
    drag = ActionChains(page.browser, duration=20)
    pointer = drag.w3c_actions.pointer_action
    pointer.move_to_location(x, y).pointer_down(button=2).move_to_location(x, y + 60).pointer_up(button=2)
    drag.perform()
    page.settle()
    level = float(page.js("return document.getElementById('level').value"))
    assert level < 40
    page.js("const e = document.getElementById('level'); e.value = 400; e.dispatchEvent(new Event('change'))")
    assert page.color((48, 20, 18)).mean() < before - 50


def test_a_structure_can_be_shown_hidden_and_made_fainter(page):
    shell, core = (48 + 18, 36, 18), (48, 36, 18)
    plain = page.color(shell)
    page.browser.find_elements(By.CSS_SELECTOR, "#structures input[type=checkbox]")[0].click()
    tinted = page.color(shell)
    assert tinted[0] - plain[0] == pytest.approx((255 - plain[0]) * 0.25, abs=6)
    assert page.color(core) == pytest.approx(apply_window(np.array([60]), WINDOWS["brain"])[0], abs=4)
    page.js(
        "const slider = document.querySelector('#structures input[type=range]');"
        "slider.value = 75; slider.dispatchEvent(new Event('input'))"
    )
    assert page.color(shell)[0] > tinted[0] + 40
    page.keys("o")
    assert page.color(shell) == pytest.approx(plain, abs=3)
    page.keys("o", "l")
    assert page.color(shell) == pytest.approx(plain, abs=3)


def test_the_legend_tells_names_and_volumes(page):
    _, radius_mm = phantom_values()
    rows = page.js("return [...document.querySelectorAll('#structures li')].map(li => li.innerText.split('\\n'))")
    core_ml = np.count_nonzero(radius_mm < 12) * SPACING.prod() / 1000
    shell_ml = np.count_nonzero((radius_mm >= 12) & (radius_mm < 25)) * SPACING.prod() / 1000
    assert rows == [["shell", f"{shell_ml:.1f} ml"], ["core", f"{core_ml:.1f} ml"]]


def test_a_known_distance_is_measured_by_mouse_to_a_hundredth(page):
    page.keys("d")
    for marker in MARKERS:
        page.click(marker)
    (text,) = page.measured()
    assert float(text.removesuffix(" mm")) == pytest.approx(60.0, rel=0.01)
    page.keys(Keys.BACKSPACE)
    assert page.measured() == []


def test_angles_and_distances_can_be_measured_with_the_keyboard_alone(page):
    page.keys("g", Keys.ENTER)
    page.keys(*[Keys.ARROW_RIGHT] * 6, Keys.ENTER)
    page.keys(*[Keys.ARROW_UP] * 4, Keys.ENTER)
    page.keys("d", Keys.ENTER, *[Keys.ARROW_LEFT] * 6, Keys.ENTER, Keys.ESCAPE)
    # At right angles in millimetres on a turned grid; six voxels of 1 mm.
    assert page.measured() == ["90.0°", "6.0 mm"]


def test_values_in_a_circle_are_those_of_its_voxels(page):
    page.keys("i")
    page.click((48, 36, 18))
    page.click((48 + 8, 36, 18))
    mean, deviation = page.measured()[0].split(",")[0].removesuffix(" HU").split(" ± ")
    assert (float(mean), float(deviation)) == (60.0, 0.0)
    area = float(page.measured()[0].split(", ")[1].removesuffix(" cm²"))
    assert area == pytest.approx(np.pi * 8**2 / 100, rel=0.05)


def test_the_readings_are_the_values_and_places_of_voxels(page):
    marker = MARKERS[0]
    page.click(marker)
    mm = phantom_affine() @ [*marker, 1]
    read = [
        float(n) * (-1 if letter in "LPI" else 1)
        for letter, n in zip(*[iter(page.text("read-mm").split()[:6])] * 2, strict=True)
    ]
    assert read == pytest.approx(mm[:3], abs=0.3)
    assert page.text("read-value") == "1000 HU"
    assert page.text("read-voxel") == "18, 36, 18"
    page.js("cormack.centre()")
    assert page.text("read-structures") == "core"


def test_slices_zoom_and_pan_follow_keys_and_wheel(page):
    page.keys(Keys.PAGE_UP, Keys.PAGE_UP, Keys.PAGE_DOWN)
    assert page.text("read-voxel").endswith(" 19")
    x, y = map(round, page.place((48, 36, 18)))
    wheel = ActionChains(page.browser)
    wheel.w3c_actions.wheel_action.scroll(x=x, y=y, delta_y=100)
    wheel.perform()
    page.settle()
    assert page.text("read-voxel").endswith(" 18")
    apart = np.subtract(page.place(MARKERS[1]), page.place(MARKERS[0]))
    page.keys("+")
    np.testing.assert_allclose(np.subtract(page.place(MARKERS[1]), page.place(MARKERS[0])), apart * 1.25, rtol=1e-3)
    before = page.place(MARKERS[0])
    ActionChains(page.browser).key_down(Keys.ALT).send_keys(Keys.ARROW_LEFT).key_up(Keys.ALT).perform()
    page.settle()
    assert page.place(MARKERS[0])[0] == pytest.approx(before[0] - 40, abs=0.5)
    page.keys("r")
    np.testing.assert_allclose(np.subtract(page.place(MARKERS[1]), page.place(MARKERS[0])), apart, rtol=1e-3)


def test_three_planes_and_the_3d_picture_are_shown_together(page):
    page.js("cormack.chooseSurface('skin')")
    page.keys("q", "x")
    picture = page.picture()
    boxes = page.js(
        "const c = cormack.pane.canvas.getBoundingClientRect();"
        "return [[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]].map("
        "([x, y]) => [c.left + x * c.width, c.top + y * c.height])"
    )
    for x, y in boxes:
        assert picture[round(y) - 40 : round(y) + 40, round(x) - 40 : round(x) + 40].mean() > 40
    words = page.js("return [...document.querySelectorAll('.pane svg text')].map(t => t.textContent)")
    assert {"Axial", "Coronal", "Sagittal", "R", "L", "A", "P", "S", "I"} <= set(words)
    axial = page.js("const t = cormack.pane.slices.screenSlices[0]; return t.fovMM[0]")
    # Radiological: the patient's right is on the left of the screen.
    assert axial < 0


def test_everything_can_be_reached_and_is_named_and_nothing_overflows(page):
    page.keys("q")
    nameless = page.js(
        "return [...document.querySelectorAll('header button, header select, header input, aside button, aside select,"
        " aside input, canvas')].filter(e => e.offsetParent && !(e.getAttribute('aria-label') || e.title"
        " || e.textContent.trim() || e.closest('label')?.textContent.trim())).map(e => e.outerHTML)"
    )
    assert nameless == []
    assert page.js(
        "return document.documentElement.scrollWidth <= 1280 && document.documentElement.scrollHeight <= 720"
    )
    assert page.js("const h = document.querySelector('header'); return h.scrollWidth <= h.clientWidth")
    seen = []
    for _ in range(40):
        page.keys(Keys.TAB)
        seen.append(page.js("const e = document.activeElement; return e.id || e.className || e.title || e.tagName"))
        outline = page.js("return getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none" or seen[-1] == "BODY"
    assert {"preset", "level", "slices", "volume", "outlines", "help-button"} <= set(seen)


def test_the_help_sheet_lists_the_keys(page):
    page.keys("?")
    sheet = page.browser.find_element(By.ID, "help")
    assert sheet.is_displayed()
    assert "ROI" in sheet.text
    assert page.js("const d = document.getElementById('help'); return d.scrollHeight <= d.clientHeight + 1")
    page.keys(Keys.ESCAPE)
    assert not sheet.is_displayed()


def test_nothing_is_loaded_from_elsewhere(page):
    names = page.js("return performance.getEntriesByType('resource').map(e => new URL(e.name)).filter("
                    "u => u.protocol !== 'data:' && u.origin !== location.origin).map(String)")  # fmt: skip
    assert names == []


def test_two_scans_side_by_side_move_together_until_unlinked(browser, start, files):
    address = start(files / "scan.nii", files / "later.nii", labels=[files / "parts_dseg.nii"])
    page = Page(browser, address, shown=("shown-0", "shown-1"))
    volumes = page.js("return [...document.querySelectorAll('#structures .number')].map(e => e.textContent)")
    assert all(first == second for first, second in (text.removesuffix(" ml").split(" | ") for text in volumes))
    page.keys("l")
    page.keys("a", Keys.PAGE_UP)
    at = "return cormack.panes.map(p => p.scan.geometry.nearest(p.crosshair)[2])"
    assert page.js(at) == [19, 19]
    page.keys("y", Keys.PAGE_UP)
    assert page.js(at) == [20, 19]
    page.keys("y", Keys.PAGE_UP)
    assert page.js(at) == [21, 20]
    page.js("cormack.step(-2)")
    page.keys("+")
    assert page.js("return cormack.panes.map(p => p.slices.scene.pan2Dxyzmm[3])") == pytest.approx([1.25, 1.25])
    dark, bright = (page.picture()[tuple(map(round, page.place((40, 24, 18), pane)[::-1]))].mean() for pane in (0, 1))
    # Five units more in the second scan, of eighty.
    assert bright - dark == pytest.approx(5 / 80 * 255, abs=3)
    page.js("cormack.beside(null)")
    assert len(page.browser.find_elements(By.CLASS_NAME, "pane")) == 1


def test_what_cannot_be_shown_is_said_on_the_page(browser, start, tmp_path):
    (tmp_path / "broken.nii").write_bytes(b"no image at all")
    page = Page(browser, start(tmp_path / "broken.nii"), shown=())
    page.until("return !!document.querySelector('.message.failed')")
    assert "not a readable NIfTI file" in page.js("return document.querySelector('.message').textContent")


def test_a_browser_without_webgl2_is_told_so(browser, start, files):
    hide = "HTMLCanvasElement.prototype.getContext = () => null"
    script = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": hide})
    try:
        page = Page(browser, start(files / "scan.nii"), shown=())
        page.until("return !document.getElementById('fault').hidden")
        assert "WebGL 2" in page.text("fault")
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
