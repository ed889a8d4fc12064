/** The package as it is after `npm install glassformer`: built from the source, next to its dependencies, in an empty folder. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { buildBrowser } from "../../scripts/build-browser.ts";
import { buildWeb } from "../../scripts/build-web.ts";

const execute = promisify(execFile);
export const root = fileURLToPath(new URL("../../", import.meta.url));

export interface Installed {
  /** The folder of somebody's project. */
  readonly project: string;
  /** The package's own folder in it, with `package.json`, `dist` and the rest. */
  readonly folder: string;
  remove(): void;
}

/** Builds the package, unless GLASSFORMER_DIST names a folder that has the build, and lays it out; nothing is fetched. @param page whether it has the page that `serve` serves @param browser whether it has the scripts for pages without a bundler */
export async function installed({ page = false, browser = false } = {}): Promise<Installed> {
  const project = mkdtempSync(join(tmpdir(), "glassformer-installed-"));
  const modules = join(project, "node_modules");
  const folder = join(modules, "glassformer");
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(join(root, "node_modules"))) {
    if (!name.startsWith(".")) symlinkSync(join(root, "node_modules", name), join(modules, name));
  }
  const { files } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { files: string[] };
  for (const name of ["package.json", ...files].filter((name) => name !== "dist" && !name.startsWith("!"))) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  if (process.env.GLASSFORMER_DIST) {
    cpSync(process.env.GLASSFORMER_DIST, join(folder, "dist"), { recursive: true });
  } else await buildInto(join(folder, "dist"), { page, browser });
  return { project, folder, remove: () => rmSync(project, { recursive: true, force: true }) };
}

async function buildInto(dist: string, { page, browser }: { readonly page: boolean; readonly browser: boolean }) {
  const compile = [tool("typescript/bin/tsc"), "-p", "tsconfig.build.json", "--outDir", dist];
  await execute(process.execPath, compile, { cwd: root }).catch((failure) => {
    throw new Error(`The package does not build:\n${failure.stdout}`);
  });
  if (page) await buildWeb(join(dist, "web"));
  if (browser) await buildBrowser(join(dist, "browser"));
}

/** A dependency's program, as a path. */
export function tool(path: string): string {
  return join(root, "node_modules", path);
}
