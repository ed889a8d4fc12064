/** A command in a process of its own, and the process' peak memory in MB, which `resourceUsage` gives with that of the parent. */
import { readFileSync } from "node:fs";
import { runCommand } from "../src/cli/program.ts";

const peakMb = () =>
  Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1024);
const nowhere = { write: () => true };

runCommand(process.argv.slice(2), { stdout: nowhere, stderr: nowhere }).then(() => process.stdout.write(`${peakMb()}`));
