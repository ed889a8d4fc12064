/** What a page brings, over a backend. */

import type { Backend } from "./engine/backend.ts";
import { defaultEngine } from "./engine/default.ts";
import type { WebBackendOptions } from "./engine/ort-web-settings.ts";
import { webMemory } from "./engine/web-memory.ts";
import { openModelFiles } from "./load/web.ts";
import { usePlatform } from "./platform.ts";
import { drawOnCanvas } from "./report/canvas.ts";
import { notebookOf } from "./report/notebook.ts";

/** Makes a page the platform. */
export function usePage(webBackend: (options: WebBackendOptions) => Backend): void {
  usePlatform({
    backend: (device) => webBackend({ device }),
    engine: defaultEngine,
    open: (name, resolve, options) => openModelFiles(name, { ...options, resolve }),
    memory: webMemory(),
    notebook: notebookOf,
    checkpoints: undefined, // a page has no folders: it passes a CheckpointStore
    rasterize: drawOnCanvas,
  });
}
