/** What an editor offers where names are written, and which wrong ones the compiler refuses, asked of TypeScript itself. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { API } from "typescript/unstable/sync";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MODEL_ALIASES, parseConfig } from "../../src/index.ts";
import { bundledModels } from "../../src/load/names.ts";
import { recordingOf } from "../../src/models/recording.ts";
import { root } from "../repository/installed.ts";

/** A user's program: `|` marks where an editor is asked. */
const PROGRAM = `
import { type ActivationCache, type HookName, HookedTransformer, type Tensor } from "${join(root, "src/node.ts")}";
declare const cache: ActivationCache;
declare const model: HookedTransformer;
declare const x: Tensor;
declare const layer: number;
declare const text: string;
cache.get("|");
cache.get(text);
model.runWithHooks("x", { fwdHooks: [["|", (x) => x]] });
model.runWithCache("x", { namesFilter: ["|"] });
"|" satisfies HookName;
x.at({ | });
x.sum("|");
HookedTransformer.fromPretrained("|");
HookedTransformer.fromPretrained(text);
"blocks.30.hook_resid_pre" satisfies HookName;
\`blocks.\${layer}.attn.hook_z\` satisfies HookName;
cache.get("blocks.0.hook_resid_prez" satisfies HookName); // wrong
\`blocks.\${layer}.attn.hook_zz\` satisfies HookName; // wrong
`;

let folder: string;
let api: API;
/** What is offered at each mark, in order. */
let offered: string[][];
let wrongLines: string[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "completions-"));
  const file = join(folder, "program.mts");
  const config = join(folder, "tsconfig.json");
  const [first, ...rest] = PROGRAM.split("|");
  let text = first;
  const marks = rest.map((part) => {
    const at = text.length;
    text += part;
    return at;
  });
  writeFileSync(file, text);
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(root, "tsconfig.json"),
      compilerOptions: { typeRoots: [join(root, "node_modules/@types")], rewriteRelativeImportExtensions: false },
      include: ["program.mts"],
    }),
  );
  api = new API({ cwd: folder });
  const project = api.updateSnapshot({ openProject: config }).getProject(config)!;
  offered = marks.map(
    (at) =>
      project.checker.getCompletionsAtPosition(file, at)?.entries.map(({ name }) => name.replace(/\?$/, "")) ?? [],
  );
  const messages = project.program.getSemanticDiagnostics(file);
  wrongLines = messages.map(({ pos }) => text.slice(text.lastIndexOf("\n", pos) + 1, text.indexOf("\n", pos)));
}, 60_000);

afterAll(() => {
  api?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Every hook point of a small model. */
const points = recordingOf(
  parseConfig({ n_layers: 2, d_model: 4, n_ctx: 8, d_head: 2, n_heads: 2, d_mlp: 9, act_fn: "solu_ln", d_vocab: 17 }),
).hookNames;

describe("an editor offers", () => {
  const places = ["cache.get", "fwdHooks", "namesFilter", "satisfies HookName"];

  test.each(places.map((place, i) => [place, i] as const))("every hook point of a model at %s", (_, i) => {
    expect(points.length).toBeGreaterThan(40);
    expect(points.filter((name) => !offered[i].includes(name))).toEqual([]);
    expect(offered[i]).toContain("blocks.23.mlp.hook_mid");
  });

  test("names of axes at x.at and x.sum", () => {
    expect(offered[4]).toEqual(expect.arrayContaining(["batch", "pos", "head", "d_model", "d_vocab"]));
    expect(offered[5]).toEqual(expect.arrayContaining(["batch", "pos", "head", "d_model", "d_vocab"]));
  });

  test("the bundled models and every listed one at fromPretrained", () => {
    const names = [...bundledModels, ...[...MODEL_ALIASES].flatMap(([id, short]) => [id, ...short])];
    expect(offered[6].toSorted()).toEqual([...new Set(names)].toSorted());
  });
});

test("the compiler refuses, after `satisfies HookName`, what no model has, and nothing else", () => {
  const wrong = PROGRAM.split("\n").filter((line) => line.endsWith("// wrong"));
  expect(wrongLines.filter((line) => !/^("" satisfies|x\.(at|sum)\()/.test(line))).toEqual(wrong);
});
