/** Writes the pages that are made from the code: `npm run docs`. */
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { hookNamesPage, pagePath } from "./hook-names.ts";
import { modelsPage, modelsPagePath } from "./models-page.ts";

for (const [path, page] of [
  [pagePath, hookNamesPage()],
  [modelsPagePath, modelsPage()],
]) {
  const before = readFileSync(path, { encoding: "utf8", flag: "a+" });
  if (page !== before) writeFileSync(path, page);
  process.stdout.write(`docs/${basename(path)} ${page === before ? "was up to date" : "written"}.\n`);
}
