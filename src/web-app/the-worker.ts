/** The page's workers. The first starts before the page is drawn, which takes as long. */

let first: Worker | undefined = made();
/** What happened to it before anything listened. */
let early: ErrorEvent | undefined;
first.addEventListener("error", (event) => {
  event.preventDefault();
  early = event;
});

/** A worker that is starting: the page's first, and then another each time. */
export function nextWorker(): Worker {
  const worker = first ?? made();
  const failed = worker === first ? early : undefined;
  if (failed) setTimeout(() => worker.dispatchEvent(new ErrorEvent("error", { message: failed.message })));
  first = undefined;
  return worker;
}

function made(): Worker {
  // An address with a state may want a graphics processor.
  const name = location.hash === "" ? "cpu" : "";
  return new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name });
}
