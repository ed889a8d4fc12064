/** A disk that fills up: old files stay, partial ones are removed, and one sentence says why. Needs root, for a small disk. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCheckpointLabels } from "../../src/node.ts";
import { flawOf } from "../outcome.ts";
import { glassformer } from "./process.ts";

/** A report, a training run and a picture written to disks of every size up to what they need, in steps. */
export async function fullDisks(): Promise<Record<string, unknown>> {
  const cwd = mkdtempSync(join(tmpdir(), "glassformer-disks-"));
  const disk = join(cwd, "disk");
  mkdirSync(disk);
  const results = { cases: 0, written: 0, "refused in a sentence": 0, "half-written": 0, "old report lost": 0 };
  try {
    writeFileSync(join(cwd, "text.txt"), "the cat sat on the mat and the dog ran to the cat. ".repeat(400));
    const train =
      "train text.txt --n-layers 1 --d-model 16 --d-mlp 32 --n-heads 2 --n-ctx 16 --batch-size 4 --steps 4 --save-every 2".split(
        " ",
      );
    const commands = [
      ["logit-lens", "--prompt", "It was", "--out", "disk/report.html"],
      ["logit-lens", "--prompt", "It was", "--out", "disk/report.json", "disk/report.svg"],
      [...train, "--out", "disk/model"],
    ];
    for (const args of commands) {
      for (const kb of [8, 16, 32, 64, 128, 256, 1024]) {
        if (spawnSync("mount", ["-t", "tmpfs", "-o", `size=${kb}k`, "tmpfs", disk]).status !== 0) {
          return { skipped: "a small disk cannot be mounted here: that needs root" };
        }
        try {
          const old = join(disk, "report.html");
          writeFileSync(old, "old");
          const { code, stderr } = await glassformer(args, { cwd });
          results.cases++;
          if (code === 0) results.written++;
          else if (flawOf(stderr.trim()) === undefined && code === 2) results["refused in a sentence"]++;
          if (code !== 0 && (await halfWritten(disk))) results["half-written"]++;
          if (code !== 0 && (!existsSync(old) || readFileSync(old, "utf8") !== "old")) results["old report lost"]++;
        } finally {
          spawnSync("umount", [disk]);
        }
      }
    }
    return results;
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

/** Whether there is anything besides the old report, complete reports, and complete checkpoints. */
async function halfWritten(disk: string): Promise<boolean> {
  const whole: Readonly<Record<string, (text: string) => boolean>> = {
    "report.html": () => true, // the old one is checked separately
    "report.json": (text) => text.endsWith("}\n"),
    "report.svg": (text) => text.trimEnd().endsWith("</svg>"),
  };
  const files = readdirSync(disk).filter((name) => name !== "model");
  if (!files.every((name) => whole[name]?.(readFileSync(join(disk, name), "utf8")))) return true;
  const model = join(disk, "model");
  if (!existsSync(model)) return false;
  const steps = readdirSync(model).filter((name) => name.startsWith("step-"));
  return steps.length !== (await getCheckpointLabels(model)).length;
}
