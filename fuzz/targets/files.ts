/** The real files that targets change: those of the tests. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../../", import.meta.url);

export const pathOf = (path: string): string => fileURLToPath(new URL(path, root));

export const bytesOf = (path: string): Uint8Array => new Uint8Array(readFileSync(new URL(path, root)));

export const jsonOfFile = (path: string): unknown => JSON.parse(readFileSync(new URL(path, root), "utf8"));

/** Files that torch writes as before 1.6, without checksums: numbers that were changed are read. */
export const LEGACY_FILES = ["legacy", "legacy-views", "legacy-protocol4", "oldest"].map(
  (name) => `test/load/fixtures/${name}.pt`,
);

/** Files written by torch. */
export const PTH_FILES = ["state_dict", "nested", "views", "protocol4", "cuda", "dtypes"].map(
  (name) => `test/load/fixtures/${name}.pth`,
);
