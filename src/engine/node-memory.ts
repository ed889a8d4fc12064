/** How much memory Node's process may still use: what the machine has, and what its control groups leave it. */
import { readFileSync } from "node:fs";
import { freemem, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { MemoryReader } from "../platform.ts";

/** The share of free memory that may be used: plans are not exact, and others need memory too. */
const SHARE = 0.9;

/** @param root the file system's root, for tests */
export function nodeMemory(root = "/"): MemoryReader {
  const groups = controlGroups(root);
  return {
    read: () => SHARE * Math.min(machine(root), ...groups.map((left) => left())),
    heap: () => SHARE * getHeapStatistics().total_available_size,
    collect,
  };
}

function machine(root: string): number {
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(textOf(join(root, "proc/meminfo")) ?? "");
  if (available) return 1024 * Number(available[1]);
  // macOS counts as used what it gives back when asked.
  return process.platform === "darwin" ? Math.max(freemem(), totalmem() / 2) : freemem();
}

/** What each control group above the process leaves it: version 2 ("0::/path") and version 1 ("9:memory:/path"). */
function controlGroups(root: string): (() => number)[] {
  const lines = textOf(join(root, "proc/self/cgroup"))?.split("\n") ?? [];
  return lines.flatMap((line) => {
    const [, id, controllers, path] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    if (path === undefined) return [];
    if (id === "0" && controllers === "") {
      return upwards(path).map((at) => {
        const group = join(root, "sys/fs/cgroup", at);
        return () => left(group, "memory.max", "memory.current", "inactive_file");
      });
    }
    if (!controllers.split(",").includes("memory")) return [];
    return upwards(path).map((at) => {
      const group = join(root, "sys/fs/cgroup/memory", at);
      return () => left(group, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file");
    });
  });
}

/** A group and all above it. */
function upwards(path: string): string[] {
  const above = dirname(path);
  return above === path ? [path] : [path, ...upwards(above)];
}

/** The limit less the use, where files that are only kept in memory do not count as used. */
function left(group: string, limitFile: string, useFile: string, kept: string): number {
  const limit = Number(textOf(join(group, limitFile)) ?? Number.NaN); // "max" is none
  if (!Number.isFinite(limit) || limit > totalmem()) return Infinity;
  const use = Number(textOf(join(group, useFile)) ?? Number.NaN);
  const cached = new RegExp(`^${kept} (\\d+)$`, "m").exec(textOf(join(group, "memory.stat")) ?? "");
  return Number.isFinite(use) ? limit - use + Number(cached?.[1] ?? 0) : Infinity;
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // not here: another system, or a group that cannot be seen
  }
}

/** Results of earlier runs that nobody holds any more are memory until they are collected. */
function collect(): void {
  setFlagsFromString("--expose-gc");
  const gc: (() => void) | undefined = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  gc?.();
}
