/** docs/tokenizers.md names the supported components. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { DECODERS } from "../../src/text/decoders/index.ts";
import { MODELS } from "../../src/text/models/index.ts";
import { NORMALIZERS } from "../../src/text/normalizers/index.ts";
import { POST_PROCESSORS } from "../../src/text/post-processor.ts";
import { PRE_TOKENIZERS } from "../../src/text/pre-tokenizers/index.ts";

const page = readFileSync(new URL("../../docs/tokenizers.md", import.meta.url), "utf8");

it.each<[string, object]>([
  ["models", MODELS],
  ["normalizers", NORMALIZERS],
  ["pre-tokenizers", PRE_TOKENIZERS],
  ["post-processors", POST_PROCESSORS],
  ["decoders", DECODERS],
])("the page names all %s that are read", (part, makers) => {
  const row = new RegExp(`^\\| ${part} \\| (.*?) \\|`, "m").exec(page)?.[1] ?? "";
  const named = row.replace(/\([^)]*\)/g, "").split(",");
  expect(named.map((name) => name.trim()).sort()).toEqual(Object.keys(makers).sort());
});
