/** Draws the page: what was stored with it is drawn first, then the state of the address is followed. */
import { render } from "preact";
import { App, Embedded } from "./app.tsx";
import { follow } from "./computing.ts";
import type { FirstPaint } from "./first-paint.ts";
import { followAddress } from "./history.ts";
import { storeForOffline } from "./offline.ts";
import { openFiles } from "./opening.ts";
import { showFirst } from "./store.ts";

const embedded = new URLSearchParams(location.search).get("embed") === "1";
// The page can do without it.
const first = fetch("./first.json")
  .then((response) => response.json() as Promise<FirstPaint>)
  .catch(() => undefined);

await followAddress();
render(embedded ? <Embedded /> : <App />, document.getElementById("page")!);
follow();
const stored = await first;
if (stored) showFirst(stored);
if (!embedded) storeForOffline();

addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  const files = [...(event.dataTransfer?.files ?? [])];
  if (files.length > 0) void openFiles(files);
});
