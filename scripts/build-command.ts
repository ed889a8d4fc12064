/** Makes the built command executable: npm does so where it links it the first time, but not what takes its place there. */
import { chmodSync } from "node:fs";
import { fileURLToPath } from "node:url";

chmodSync(fileURLToPath(new URL("../dist/cli/main.js", import.meta.url)), 0o755);
