// The side panel: structures with their volumes, measurements, facts about the scan.

const make = (name, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
};
const millilitres = (ml) => (ml >= 100 ? ml.toFixed(0) : ml >= 1 ? ml.toFixed(1) : ml.toFixed(3));

// A structure of both scans has one row: what is chosen for it holds for both, its volumes stand side by side.
export function fillStructures(list, panes, app) {
  const scans = panes.filter((pane) => pane.scan).map((pane) => pane.scan);
  const names = [...new Set(scans.flatMap((scan) => scan.structures.map((structure) => structure.name)))];
  list.closest("section").hidden = names.length === 0;
  list.replaceChildren(...names.map((name) => structureRow(
    scans.map((scan) => scan.structures.find((structure) => structure.name === name)), app)));
}

function structureRow(inScans, app) {
  const structure = inScans.find(Boolean);
  const { name, color, source } = structure;
  const volumes = inScans.map((each) => (each ? millilitres(each.volume_ml) : "–")).join(" | ");
  const shown = make("input", { type: "checkbox", checked: structure.visible });
  const swatch = make("span", { className: "swatch" });
  swatch.style.backgroundColor = `rgb(${color.join()})`;
  const volume = make("span", { className: "number", textContent: `${volumes} ml` });
  const label = make("label", { title: `${name}, from ${source}` }, shown, swatch, make("span", { className: "structure", textContent: name }), volume);
  const opacity = make("input", { type: "range", min: 0, max: 100, value: structure.opacity * 100 });
  opacity.setAttribute("aria-label", `Opacity of ${name}`);
  shown.addEventListener("change", () => app.setStructure(structure, { visible: shown.checked }));
  opacity.addEventListener("input", () => app.setStructure(structure, { opacity: opacity.value / 100 }));
  return make("li", { className: structure.visible ? "" : "off" }, label, opacity);
}

export function fillMeasurements(list, app) {
  list.closest("section").hidden = app.measuring.list.length === 0;
  list.replaceChildren(...app.measuring.list.map((measurement) => {
    const go = make("button", { type: "button", className: "go", title: "Show where it lies" },
      make("span", { textContent: measurement.name }), make("span", { className: "number", textContent: measurement.text || "…" }));
    const remove = make("button", { type: "button", className: "remove", textContent: "×" });
    remove.setAttribute("aria-label", `Remove ${measurement.name}`);
    go.addEventListener("click", () => app.measuring.show(measurement));
    remove.addEventListener("click", () => app.measuring.remove(measurement));
    return make("li", {}, go, remove);
  }));
}

export function fillFacts(list, panes) {
  list.replaceChildren(...panes.filter((pane) => pane.scan).flatMap(({ scan: { name, facts } }) => [
    make("dt", { textContent: name, title: name }),
    make("dd", { textContent: `${facts.shape.join(" × ")} voxels` }),
    make("dd", { textContent: `${facts.spacing_mm.map((n) => n.toFixed(2)).join(" × ")} mm` }),
    make("dd", { textContent: facts.unit === "HU" ? "Hounsfield units" : "no unit" }),
  ]));
}

export function pointText(pane, fraction) {
  const { scan } = pane;
  if (!scan || !fraction || !scan.geometry.contains(fraction)) return null;
  const voxel = scan.geometry.nearest(fraction);
  const value = scan.value(voxel);
  const mm = scan.geometry.world(fraction).map((n, axis) => `${"LPI RAS"[axis + (n < 0 ? 0 : 4)]} ${Math.abs(n).toFixed(1)}`);
  return {
    value: scan.facts.unit === "HU" ? `${value.toFixed(0)} HU` : value.toPrecision(4),
    mm: `${mm.join("  ")} mm`,
    voxel: voxel.join(", "),
    structures: scan.structuresAt(voxel).map((structure) => structure.name).join(", "),
  };
}
