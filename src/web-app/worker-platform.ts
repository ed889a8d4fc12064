/** The platform of the page's worker: that of pages, without what draws, which the page itself does. */
import { defaultEngine } from "../engine/default.ts";
import { webBackend } from "../engine/ort-web.ts";
import { webMemory } from "../engine/web-memory.ts";
import { openModelFiles } from "../load/web-open.ts";
import { usePlatform } from "../platform.ts";
import { watched } from "./engine-failure.ts";

usePlatform({
  backend: (device) => watched(webBackend({ device, runtimeFolder: RUNTIME_FOLDER })),
  engine: defaultEngine,
  open: (name, resolve, options) => openModelFiles(name, { ...options, resolve }),
  memory: webMemory(),
});
