/** Writes what is made from the code in docs/: `npm run docs`. What differs only by a machine's rounding stays as it is. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { docs, generated, leftOver, present } from "./generated.ts";
import { difference } from "./rounding.ts";

const files = await generated();
for (const [path, text] of files) {
  if (difference(present(path), text) === undefined) continue;
  mkdirSync(dirname(docs + path), { recursive: true });
  writeFileSync(docs + path, text);
  process.stdout.write(`docs/${path} written.\n`);
}
for (const path of leftOver(files)) {
  rmSync(docs + path);
  process.stdout.write(`docs/${path} removed: nothing makes it.\n`);
}
process.stdout.write(`${files.size} files are up to date.\n`);
