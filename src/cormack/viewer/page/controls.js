// The bar on top: scans, window, layout, tools. It shows the state of the page and changes it; it keeps none.

const byId = (id) => document.getElementById(id);
const title = (name) => name.charAt(0).toUpperCase() + name.slice(1).replace("-", " ");

export class Controls {
  constructor(app) {
    this.app = app;
    const { scans, windows } = app.scene;
    const option = (value, text) => Object.assign(document.createElement("option"), { value, textContent: text });
    byId("scan").append(...scans.map(({ name }, number) => option(number, name)));
    byId("other").append(option("", "—"), ...scans.map(({ name }, number) => option(number, name)));
    byId("beside").hidden = scans.length < 2;
    byId("preset").append(option("", "own"), ...windows.map(({ name }) => option(name, title(name))));
    byId("scan").addEventListener("change", (event) => app.load(app.panes[0], Number(event.target.value)));
    byId("other").addEventListener("change", ({ target }) => app.beside(target.value === "" ? null : Number(target.value)));
    byId("preset").addEventListener("change", ({ target }) =>
      app.preset(windows.findIndex(({ name }) => name === target.value)));
    for (const id of ["level", "width"]) byId(id).addEventListener("change", () => this.#typedWindow());
    for (const button of document.querySelectorAll("[data-layout-choice]")) {
      button.addEventListener("click", () => app.setLayout(button.dataset.layoutChoice));
    }
    for (const button of document.querySelectorAll("[data-tool-choice]")) {
      button.addEventListener("click", () => app.setTool(button.dataset.toolChoice));
    }
    byId("outlines").addEventListener("click", () => app.toggleOutlines());
    byId("link").addEventListener("click", () => app.toggleLink());
    byId("toggle-panel").addEventListener("click", () => app.togglePanel());
    byId("help-button").addEventListener("click", () => app.help());
    byId("surface").addEventListener("change", ({ target }) => app.chooseSurface(target.value));
  }

  loaded() {
    const [first, second] = this.app.panes;
    if (first.scan) byId("scan").value = first.scan.number;
    byId("other").value = second?.scan ? second.scan.number : "";
    byId("link").hidden = !second;
    byId("surface-choice").hidden = !this.app.panes.some((pane) => pane.scan);
    byId("outlines").hidden = !this.app.panes.some((pane) => pane.scan?.structures.length);
    const isCt = first.scan?.facts.unit === "HU";
    byId("surface").options[0].hidden = byId("surface").options[1].hidden = !isCt;
  }

  #typedWindow() {
    const [level, width] = ["level", "width"].map((id) => Number(byId(id).value));
    if (Number.isFinite(level) && width > 0) this.app.setWindow({ name: "", low: level - width / 2, high: level + width / 2 });
    else this.showWindow();
  }

  showWindow() {
    const { name, low, high } = this.app.window;
    const digits = high - low < 10 ? 2 : 0;
    byId("preset").value = name;
    byId("level").value = ((low + high) / 2).toFixed(digits);
    byId("width").value = (high - low).toFixed(digits);
  }

  showLayout() {
    for (const button of document.querySelectorAll("[data-layout-choice]")) {
      button.setAttribute("aria-pressed", button.dataset.layoutChoice === this.app.layout);
    }
  }

  showTool() {
    for (const button of document.querySelectorAll("[data-tool-choice]")) {
      button.setAttribute("aria-pressed", button.dataset.toolChoice === this.app.tool);
    }
  }

  press(id, on) {
    byId(id).setAttribute("aria-pressed", on);
  }
}
