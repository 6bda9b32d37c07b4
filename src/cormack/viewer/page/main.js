// Starts the page, or says why it cannot.

import { App } from "./app.js";
import * as server from "./server.js";

function fail(text) {
  Object.assign(document.getElementById("fault"), { textContent: text, hidden: false });
}

async function start() {
  if (!document.createElement("canvas").getContext("webgl2")) {
    fail("This browser offers no WebGL 2, which drawing a scan needs. Take a current Firefox, Chrome, Edge or Safari, "
      + "and see that hardware acceleration is switched on in its settings.");
    return;
  }
  try {
    const scene = await server.scene();
    const app = new App(scene);
    // For tests and for the curious at the console.
    globalThis.cormack = app;
    await app.open(0, scene.paired ? 1 : null);
  } catch (error) {
    fail(error instanceof server.Refused ? error.message : `The page cannot go on (${error.message}).`);
  }
}

start();
