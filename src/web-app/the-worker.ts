/** The page's worker. It starts before the page is drawn, which takes as long. */
export const theWorker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
