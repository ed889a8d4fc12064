/** Starts the page: what was stored with it is drawn first, then the state of the address is followed. */
import { render } from "preact";
import { App, Embedded } from "./app.tsx";
import { follow } from "./computing.ts";
import type { FirstPaint } from "./first-paint.ts";
import { followAddress } from "./history.ts";
import { showFirst } from "./store.ts";
import "./page.css";

const embedded = new URLSearchParams(location.search).get("embed") === "1";
const first = fetch("./first.json").then((response) => response.json() as Promise<FirstPaint>);

await followAddress();
render(embedded ? <Embedded /> : <App />, document.getElementById("page")!);
follow();
showFirst(await first);
