/** Ctrl-C and similar signals, sent to real processes whose thread is kept busy at the worst moments. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { getCheckpointLabels } from "../../src/node.ts";
import { Cli, type Ended, type RunOptions } from "./process.ts";

/** Loaded before the command: blocks the thread at the place and for the time that BUSY says. */
const BUSY = `
const [where, seconds] = process.env.BUSY.split(" ");
const spin = () => {
  process.stderr.write("busy\\n");
  for (const end = performance.now() + 1000 * Number(seconds); performance.now() < end; );
};
const { parse } = JSON;
JSON.parse = (text, ...rest) => {
  if (where === "parse" && /n_layers/.test(text)) spin();
  return parse(text, ...rest);
};
const { setImmediate } = globalThis;
let turns = 0;
globalThis.setImmediate = (work, ...rest) =>
  setImmediate(() => {
    if (where === "run" && ++turns === Number(process.env.BUSY_TURN)) spin();
    work(...rest);
  });
`;

let cli: Cli;
let busy: (where: "parse" | "run", seconds: number, turn: number, args: string[], more?: RunOptions) => Promise<Ended>;
beforeAll(async () => {
  cli = await Cli.build();
  const preload = join(cli.folder, "busy.mjs");
  writeFileSync(preload, BUSY);
  busy = (where, seconds, turn, args, more) =>
    cli.run(args, {
      interruptAt: /busy/,
      ...more,
      env: { NODE_OPTIONS: `--import ${pathToFileURL(preload)}`, BUSY: `${where} ${seconds}`, BUSY_TURN: `${turn}` },
    });
});
afterAll(() => cli?.remove());

const FOR_EVER = 1e6;
const small = ["--task", "repeated-tokens", "--d-model", "8", "--n-heads", "1", "--length", "4", "--batch-size", "2"];
const inFolder = (...parts: string[]) => join(cli.folder, ...parts);
const keptIn = (out: string) => readdirSync(inFolder(out)).filter((name) => name.includes("step-"));

describe.skipIf(process.platform === "win32")("a signal to a process whose thread is busy", () => {
  const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
  const cases = (["logit-lens", "diffuse-mlp", "induction-score"] as const).flatMap((command) =>
    (["SIGINT", "SIGTERM", "SIGHUP"] as const).map((signal) => [signal, command] as const),
  );
  it.each(cases)("%s ends %s immediately, and nothing is written", async (signal, command) => {
    const ended = await busy("parse", FOR_EVER, 0, [command, "--out", "left.html"], { signal });
    expect(ended).toEqual({ code: codes[signal], stdout: "", stderr: "busy\n" });
    expect(readdirSync(cli.folder).filter((name) => name.includes("left"))).toEqual([]);
  });

  it("ends train immediately while it is being set up", async () => {
    cli.given("cfg.json", JSON.stringify({ n_layers: 1 }));
    const ended = await busy("parse", FOR_EVER, 0, ["train", ...small, "--config", "cfg.json", "--out", "set-up"]);
    expect(ended.code).toBe(130);
    expect(existsSync(inFolder("set-up"))).toBe(false);
  });

  it("ends train immediately in its first step, before there is anything to save", async () => {
    const args = ["train", ...small, "--steps", "2", "--out", "first-step"];
    const ended = await busy("run", FOR_EVER, 1, args);
    expect(ended.code).toBe(130);
    expect(keptIn("first-step")).toEqual([]);
    // The lock on the folder belongs to nobody any more.
    expect((await cli.run(args)).code).toBe(0);
  });

  it("lets a later step of train finish, and saves it", async () => {
    const ended = await busy("run", 1, 20, ["train", ...small, "--eval-every", "1000", "--out", "later"]);
    expect(ended.code).toBe(130);
    const [kept] = await getCheckpointLabels(inFolder("later"));
    expect(ended.stderr).toContain(`Saved as step ${kept} of later.`);
  });

  it("a second one within that step ends train with the step, and saves nothing", async () => {
    const ended = await busy("run", 2, 20, ["train", ...small, "--out", "twice"], { signals: 2 });
    expect(ended.code).toBe(130);
    expect(ended.stderr).not.toContain("Saved");
    expect(keptIn("twice")).toEqual([]);
  });
});

describe.skipIf(process.platform === "win32")("a signal to a process that is waiting", () => {
  it("for a pipe that nobody writes to ends it", async () => {
    execFileSync("mkfifo", [inFolder("silent")]);
    const ended = await cli.run(["diffuse-mlp", "--prompts", "silent"], { interruptAfter: 3000 });
    expect(ended).toEqual({ code: 130, stdout: "", stderr: "" });
  });
});

describe.skipIf(process.platform === "win32")("a signal while a report is written", () => {
  it("leaves no partial report, and ends the process", async () => {
    mkdirSync(inFolder("slow"));
    // The first write is delayed; the signal comes in the meantime.
    writeFileSync(
      inFolder("slow.mjs"),
      `import fs from "node:fs/promises"; import { syncBuiltinESMExports } from "node:module";
       const { writeFile } = fs;
       fs.writeFile = async (path, ...rest) => {
         await writeFile(path, ...rest);
         process.stderr.write("writing\\n");
         await new Promise((done) => setTimeout(done, 1500));
       };
       syncBuiltinESMExports();`,
    );
    const env = { NODE_OPTIONS: `--import ${pathToFileURL(inFolder("slow.mjs"))}` };
    const ended = await cli.run(["logit-lens", "--out", "slow/report.json"], { env, interruptAt: /writing/ });
    expect(ended).toEqual({ code: 130, stdout: "", stderr: "writing\n" });
    expect(readdirSync(inFolder("slow"))).toEqual([]);
  });
});
