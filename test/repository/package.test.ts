/** The package: its contents, what its `package.json` promises, and that both agree. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundledModels } from "../../src/load/names.ts";
import { type Installed, installed, root, tool } from "./installed.ts";

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
let there: Installed;
beforeAll(async () => {
  there = await installed({ page: true, browser: true });
});
afterAll(() => there?.remove());

const packedNames = (manifest.files as string[]).filter((name) => !name.startsWith("!"));

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

/** What npm would put into the package. */
function packed(): { readonly paths: readonly string[]; readonly size: number } {
  const json = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: there.folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [{ files, size }] = JSON.parse(json) as [{ files: { path: string }[]; size: number }];
  return { paths: files.map(({ path }) => path), size };
}

describe("the package", () => {
  test("has every file that exports, bin and the fields for content delivery networks point to", () => {
    const { exports, bin, jsdelivr, unpkg } = manifest;
    const promised = [...paths(exports), ...Object.values<string>(bin), jsdelivr, unpkg, ...packedNames];
    expect(promised.filter((path) => !existsSync(join(there.folder, path)))).toEqual([]);
  });

  test("has a bin that says which program runs it", () => {
    for (const path of Object.values<string>(manifest.bin)) {
      expect(readFileSync(join(there.folder, path), "utf8").split("\n")[0]).toBe("#!/usr/bin/env node");
    }
  });

  test("contains the build, the models, the documents and the examples, but no source, tests or goldens", () => {
    const { paths, size } = packed();
    const tops = new Set(paths.map((path) => path.split("/")[0]));
    expect([...tops].sort()).toEqual(
      ["CONTRIBUTING.md", "LICENSE", "README.md", "dist", "docs", "examples", "models", "package.json"].sort(),
    );
    expect(paths).toContain("dist/web/index.html");
    // The runtime is a dependency, and the models are there once: the page is served with both.
    expect(paths.filter((path) => /^dist\/(web|browser)\/.*(wasm|safetensors)$/.test(path))).toEqual([]);
    for (const model of bundledModels) expect(paths).toContain(`models/${model}/model.safetensors`);
    expect(paths.filter((path) => /\.test\.|\.map$|^(?!examples\/).*(?<!\.d)\.ts$/.test(path))).toEqual([]);
    // Nearly all of it is the bundled models, 6 MB each, and the dictionaries of one, 2 MB each; the page and the script for pages without a bundler are under 1 MB each.
    expect(size).toBeLessThan(18.5e6);
  });

  test("has every file that README.md links to and shows", () => {
    const { paths } = packed();
    const linked = [...readFileSync(join(root, "README.md"), "utf8").matchAll(/\]\(([^)\s#]+)[^)]*\)/g)]
      .map(([, target]) => target)
      .filter((target) => !/^https?:/.test(target));
    expect(linked.length).toBeGreaterThan(10);
    const there = (target: string) => paths.some((path) => path === target || path.startsWith(`${target}/`));
    expect(linked.filter((target) => !there(target))).toEqual([]);
  });

  test("passes publint without complaints", async () => {
    const { messages, pkg } = await publint({ pkgDir: there.folder, pack: false, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  test("includes the models that it says are bundled, and runs them", () => {
    const program = `
      import { HookedTransformer } from "glassformer";
      const losses = ${JSON.stringify(bundledModels)}.map(async (name) => {
        const model = await HookedTransformer.fromPretrained(name);
        return (await model.forward("It was the best of times", { returnType: "loss" })).item();
      });
      process.stdout.write(JSON.stringify(await Promise.all(losses)));
    `;
    const losses = JSON.parse(run("--input-type=module", "--eval", program));
    expect(losses).toHaveLength(bundledModels.length);
    for (const loss of losses) {
      expect(loss).toBeGreaterThan(1);
      expect(loss).toBeLessThan(8);
    }
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
    const { stdout } = spawnSync(process.execPath, compile, { cwd: there.project, encoding: "utf8" });
    expect(stdout.split("\n").filter((line) => /error TS/.test(line))).toEqual([]);
  });
});

test("npm has nothing to say against the repository's settings", () => {
  const { stdout, stderr } = spawnSync("npm", ["pkg", "get", "name"], { cwd: root, encoding: "utf8" });
  expect(JSON.parse(stdout)).toBe("glassformer");
  expect(stderr.split("\n").filter((line) => /project config/.test(line))).toEqual([]);
});

test("package-lock.json says nothing of onnxruntime-node's install script, or an npm without allowScripts runs it, and it downloads", () => {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  expect(packages["node_modules/onnxruntime-node"]).not.toHaveProperty("hasInstallScript");
  expect(manifest.allowScripts["onnxruntime-node"]).toBe(false);
});

test("package-lock.json lists every platform's packages, or npm ci refuses it", () => {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const optional = Object.values<{ optionalDependencies?: object }>(packages).flatMap((p) =>
    Object.keys(p.optionalDependencies ?? {}),
  );
  expect(optional.length).toBeGreaterThan(50);
  expect(optional.filter((name) => !packages[`node_modules/${name}`])).toEqual([]);
});
