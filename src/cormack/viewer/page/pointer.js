// Mouse, pen and touch on a pane. Left button: crosshair or measurement; right: window; middle or Shift: pan.

const WINDOW_GAIN = 1 / 300;
const DEGREES_PER_PIXEL = 0.5;

export function listen(pane, app) {
  const { canvas, slices } = pane;
  const pixel = (event) => [event.offsetX * pane.pixelRatio, event.offsetY * pane.pixelRatio];
  let drag = null;

  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("pointerdown", (event) => {
    const tile = pane.scan && slices.tileAt(pixel(event));
    if (!tile) return;
    canvas.setPointerCapture(event.pointerId);
    app.activate(pane, tile.axCorSag);
    drag = { tile, last: pixel(event), kind: kindOf(event, app) };
    if (drag.kind === "point") app.measuring.addPoint(pane, tile.axCorSag, slices.unproject(pixel(event), tile));
    if (drag.kind === "crosshair") app.moveTo(pane, slices.unproject(pixel(event), tile));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!pane.scan) return;
    const here = pixel(event);
    if (!drag) {
      const tile = slices.tileAt(here);
      app.hover(pane, tile && slices.unproject(here, tile));
      return;
    }
    // A tile is drawn anew after each change; the one of the same plane takes its place.
    const tile = slices.screenSlices.find(({ axCorSag }) => axCorSag === drag.tile.axCorSag);
    const [dx, dy] = [here[0] - drag.last[0], here[1] - drag.last[1]];
    drag.last = here;
    if (drag.kind === "crosshair") app.moveTo(pane, slices.unproject(here, tile));
    if (drag.kind === "point") app.hover(pane, slices.unproject(here, tile));
    if (drag.kind === "window") app.changeWindow(dx * WINDOW_GAIN, dy * WINDOW_GAIN);
    if (drag.kind === "pan") app.pan(pane, dx, dy, tile);
  });
  canvas.addEventListener("pointerup", (event) => {
    // A measurement is made by clicks, or by pressing at its first point and letting go at its second.
    if (drag?.kind === "point") app.measuring.release(pane, drag.tile, slices.unproject(pixel(event), drag.tile));
    drag = null;
  });
  canvas.addEventListener("pointercancel", () => (drag = null));
  canvas.addEventListener("dblclick", () => app.tool === "crosshair" && app.resetView());
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const tile = pane.scan && slices.tileAt(pixel(event));
    if (!tile) return;
    app.activate(pane, tile.axCorSag);
    if (event.ctrlKey) app.zoom(pane, Math.exp(-event.deltaY / 300), slices.unproject(pixel(event), tile));
    else app.step(Math.sign(event.deltaY) * -1, tile.axCorSag);
  }, { passive: false });
  turning(pane);
}

function kindOf(event, app) {
  if (event.button === 2) return "window";
  if (event.button === 1 || event.shiftKey) return "pan";
  return app.tool === "crosshair" ? "crosshair" : "point";
}

function turning(pane) {
  const canvas = pane.find(".volume");
  let last = null;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    last = [event.clientX, event.clientY];
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last || !pane.volume) return;
    pane.volume.turn((event.clientX - last[0]) * DEGREES_PER_PIXEL, (event.clientY - last[1]) * DEGREES_PER_PIXEL);
    last = [event.clientX, event.clientY];
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (last = null));
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    pane.volume?.zoomBy(Math.exp(-event.deltaY / 500));
  }, { passive: false });
}
