/** The package: its contents, what its `package.json` promises, and that both agree. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Installed, installed, root, tool } from "./installed.ts";

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
let there: Installed;
beforeAll(async () => {
  there = await installed();
});
afterAll(() => there?.remove());

/** Every path under `exports`, however its conditions are nested. */
function paths(exported: unknown): string[] {
  return typeof exported === "string" ? [exported] : Object.values(exported as object).flatMap(paths);
}

/** The output of a program in a project that has the package installed. */
function run(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: there.project, encoding: "utf8" });
  if (status !== 0) throw new Error(`It ended with ${status}:\n${stdout}${stderr}`);
  return stdout;
}

describe("the package", () => {
  test("has every file that exports and bin point to", () => {
    const promised = [...paths(manifest.exports), ...Object.values<string>(manifest.bin), ...manifest.files];
    expect(promised.filter((path) => !existsSync(join(there.folder, path)))).toEqual([]);
  });

  test("has a bin that says which program runs it", () => {
    for (const path of Object.values<string>(manifest.bin)) {
      expect(readFileSync(join(there.folder, path), "utf8").split("\n")[0]).toBe("#!/usr/bin/env node");
    }
  });

  test("contains the build, the model and the documents, but no source, tests or goldens", () => {
    const packed = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
      cwd: there.folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [{ files, size }] = JSON.parse(packed) as [{ files: { path: string }[]; size: number }];
    const tops = new Set(files.map(({ path }) => path.split("/")[0]));
    expect([...tops].sort()).toEqual(["LICENSE", "README.md", "dist", "models", "package.json"]);
    expect(files.map(({ path }) => path)).toContain("models/solu-1l-novels/model.safetensors");
    expect(files.filter(({ path }) => /\.test\.|\.map$|(?<!\.d)\.ts$/.test(path))).toEqual([]);
    // Nearly all of it is the bundled model, 6 MB.
    expect(size).toBeLessThan(7e6);
  });

  test("passes publint without complaints", async () => {
    const { messages, pkg } = await publint({ pkgDir: there.folder, pack: false, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  test("includes the model that it says is bundled, and runs it", () => {
    const program = `
      import { HookedTransformer } from "glassformer";
      const model = await HookedTransformer.fromPretrained("solu-1l-novels");
      const loss = await model.forward("It was the best of times", { returnType: "loss" });
      process.stdout.write(String(loss.item()));
    `;
    const loss = Number(run("--input-type=module", "--eval", program));
    expect(loss).toBeGreaterThan(1);
    expect(loss).toBeLessThan(8);
  });

  test("can be imported without an engine", () => {
    const program = `
      import { HookedTransformer } from "glassformer/core";
      await HookedTransformer.fromPretrained("x").catch((error) => process.stdout.write(error.name));
    `;
    expect(run("--input-type=module", "--eval", program)).toBe("GlassformerError");
  });

  test.each(["NodeNext", "bundler"])("is typed for a project with %s resolution", (resolution) => {
    writeFileSync(
      join(there.project, "typed.ts"),
      `import { HookedTransformer, type Tensor } from "glassformer";
       const model = await HookedTransformer.fromPretrained("solu-1l-novels");
       const [logits, cache] = await model.runWithCache("Hello", { namesFilter: "blocks.0.mlp.hook_mid" });
       const mid: Tensor = cache.get("mid0");
       // @ts-expect-error there is no such method
       logits.nonsense();
       mid.max("d_mlp");
      `,
    );
    const module = resolution === "bundler" ? "ESNext" : resolution;
    const options = `--noEmit --strict --target ES2023 --module ${module} --moduleResolution ${resolution}`;
    const types = "--lib ES2023,ESNext.Disposable,DOM --types node --skipLibCheck false";
    const compile = [tool("typescript/bin/tsc"), ...options.split(" "), ...types.split(" "), "typed.ts"];
    // Plot's own types need @types/d3, which it does not bring.
    const { stdout } = spawnSync(process.execPath, compile, { cwd: there.project, encoding: "utf8" });
    expect(stdout.split("\n").filter((line) => /error TS/.test(line) && !/^\S*@observablehq/.test(line))).toEqual([]);
  });
});

test("package-lock.json lists every platform's packages, or npm ci refuses it", () => {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const optional = Object.values<{ optionalDependencies?: object }>(packages).flatMap((p) =>
    Object.keys(p.optionalDependencies ?? {}),
  );
  expect(optional.length).toBeGreaterThan(50);
  expect(optional.filter((name) => !packages[`node_modules/${name}`])).toEqual([]);
});
