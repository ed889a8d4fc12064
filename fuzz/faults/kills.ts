/** Processes killed at random moments: what they leave, and whether the next one ends where an undisturbed one does. */
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { getCheckpointLabels } from "../../src/node.ts";
import { sha256, TestHub } from "../../test/load/hub-server.ts";
import type { Random } from "../random.ts";
import { pathOf } from "../targets/files.ts";
import { glassformer, node } from "./process.ts";

const TRAIN =
  "--n-layers 1 --d-model 16 --d-mlp 32 --n-heads 2 --n-ctx 16 --batch-size 4 --save-every 2 --steps 40 --seed 3".split(
    " ",
  );

/** `train` killed with `signal` at random moments and resumed, until it is done; `runs` times. */
export async function killedTraining(
  random: Random,
  signal: NodeJS.Signals,
  runs: number,
): Promise<Record<string, unknown>> {
  const cwd = mkdtempSync(join(tmpdir(), "glassformer-kills-"));
  try {
    writeFileSync(join(cwd, "text.txt"), "the cat sat on the mat and the dog ran to the cat. ".repeat(400));
    const undisturbed = await glassformer(["train", "text.txt", ...TRAIN, "--out", "whole"], { cwd });
    if (undisturbed.code !== 0) throw new Error(undisturbed.stderr);
    let [kills, broken, equal] = [0, 0, 0];
    for (let run = 0; run < runs; run++) {
      const out = `run-${run}`;
      for (let done = false; !done; ) {
        const resume = hasCheckpoint(join(cwd, out)) ? ["--resume"] : [];
        let killed = false;
        const ended = await glassformer(["train", "text.txt", ...TRAIN, "--out", out, ...resume], {
          cwd,
          onStart: (child) => {
            setTimeout(
              () => {
                killed = child.kill(signal);
              },
              random.below(1.2 * undisturbed.took),
            ).unref();
          },
        });
        if (killed && ended.code !== 0) kills++;
        else if (ended.code !== 0) throw new Error(ended.stderr);
        done = ended.code === 0;
        if (hasCheckpoint(join(cwd, out))) broken += await brokenCheckpoints(join(cwd, out));
      }
      if (digest(join(cwd, out)) === digest(join(cwd, "whole"))) equal++;
    }
    return { signal, kills, "broken checkpoints": broken, "ended with the undisturbed weights": `${equal} of ${runs}` };
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

function hasCheckpoint(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).some((name) => /^step-\d+$/.test(name));
}

async function brokenCheckpoints(folder: string): Promise<number> {
  const whole = new Set<number>(await getCheckpointLabels(folder));
  return readdirSync(folder).filter((name) => /^step-\d+$/.test(name) && !whole.has(Number(name.slice(5)))).length;
}

/** A hash of the weights of the last checkpoint. */
function digest(folder: string): string {
  const last = readdirSync(folder)
    .filter((name) => /^step-\d+$/.test(name))
    .sort((a, b) => Number(a.slice(5)) - Number(b.slice(5)))
    .at(-1);
  const at = last ? join(folder, last) : folder;
  return createHash("sha256")
    .update(readFileSync(join(at, "model.safetensors")))
    .digest("hex");
}

/** A download killed with SIGKILL at random moments and restarted, until the file is complete; `runs` times. */
export async function killedDownloads(random: Random, runs: number): Promise<Record<string, unknown>> {
  const content = random.bytes(400_000);
  const hub = await TestHub.start("org/name", { "model.safetensors": { content, large: true } });
  hub.faults.slow = 20;
  const script = `import { hubFiles } from ${JSON.stringify(pathToFileURL(pathOf("dist/node.js")).href)};
    await (await hubFiles("org/name")).open("model.safetensors");`;
  let [kills, right, bad] = [0, 0, 0];
  const cwd = mkdtempSync(join(tmpdir(), "glassformer-kills-"));
  try {
    for (let run = 0; run < runs; run++) {
      const cache = join(cwd, `cache-${run}`);
      for (let done = false; !done; ) {
        const ended = await node(["--input-type=module", "--eval", script], {
          cwd,
          env: { HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: cache },
          onStart: (child) => void setTimeout(() => child.kill("SIGKILL"), 250 + random.below(1200)).unref(),
        });
        if (ended.signal) kills++;
        else if (ended.code !== 0) throw new Error(ended.stderr);
        done = ended.code === 0;
        const blobs = join(cache, "models--org--name/blobs");
        for (const name of existsSync(blobs) ? readdirSync(blobs) : []) {
          if (/^[0-9a-f]{64}$/.test(name) && sha256(readFileSync(join(blobs, name))) !== name) bad++;
        }
      }
      right++;
    }
    return {
      signal: "SIGKILL",
      kills,
      "damaged files under their name": bad,
      "right at the end": `${right} of ${runs}`,
    };
  } finally {
    await hub.stop();
    rmSync(cwd, { recursive: true, force: true });
  }
}
