/** A process that opens a file of a model on the hub and prints its progress, for tests with several processes. */
import { createHash } from "node:crypto";
import { hubFiles } from "../../src/load/node.ts";

const [endpoint, cacheDir, id, path] = process.argv.slice(2);
const files = await hubFiles(id, { settings: { endpoint, cacheDir, offline: false, token: undefined } });
const source = await files.open(path, { onProgress: ({ done }) => console.log(done) });
const bytes = await source.read(0, source.size);
console.log(createHash("sha256").update(bytes).digest("hex"));
