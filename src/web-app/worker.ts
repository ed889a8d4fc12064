/**
 * Where the worker starts: what will compute first, then the library, whose code is evaluated while the runtime arrives. Browsers store the
 * compiled code of what a worker's script imports, but not of the script itself.
 */
import { startWebRuntime } from "../engine/ort-web-start.ts";
import type { FromWorker, ToWorker } from "./messages.ts";

/** What the page asks before the library is there. */
const early: MessageEvent<ToWorker>[] = [];
const note = (event: MessageEvent<ToWorker>) => early.push(event);

addEventListener("message", note);
begin().catch(() => {
  const end = () => postMessage({ ends: "its script could not be loaded" } satisfies FromWorker);
  // The page listens once it has asked.
  if (early.length > 0) end();
  else addEventListener("message", end, { once: true });
});

async function begin(): Promise<void> {
  if (self.name === "cpu") await startWebRuntime(Uint8Array.from(SMALLEST_GRAPH), { runtimeFolder: RUNTIME_FOLDER });
  const { answer } = await import("./answering.ts");
  removeEventListener("message", note);
  addEventListener("message", answer);
  early.forEach(answer);
}
