/** What a finding says of how it was made is true: the command, the code and the checksum are tried. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Finding } from "../../src/finding/finding.ts";
import { Cli } from "./process.ts";

const models = fileURLToPath(new URL("../../models/gelu-3l-novels/", import.meta.url));
const env = { SOURCE_DATE_EPOCH: "1764000000" };

let cli: Cli;
beforeAll(async () => {
  cli = await Cli.build();
});
afterAll(() => cli?.remove());

describe.skipIf(process.platform === "win32")("where a finding comes from", () => {
  const CLEAN = 'My sister\'s "best" friend was angry, because';
  const args = [
    "activation-patching",
    "--clean",
    CLEAN,
    "--corrupted",
    CLEAN.replace("sister", "brother"),
    "--top",
    "3",
  ];
  let finding: Finding;

  beforeAll(async () => {
    const { stdout, stderr } = await cli.run([...args, "--json"], { env });
    expect(stderr).toBe("");
    finding = JSON.parse(stdout);
  });

  it("is the version, the time, and the checksum that sha256sum gives", () => {
    const { version, date, checksum } = finding.provenance!;
    expect(version).toMatch(/^glassformer \d+\.\d+\.\d+$/);
    expect(date).toBe("2025-11-24T16:00:00Z");
    expect(checksum!.files).toEqual(["config.json", "model.safetensors"]);
    const sums = execFileSync("sha256sum", [...checksum!.files], { cwd: models });
    const whole = execFileSync("sha256sum", [], { input: sums, encoding: "utf8" });
    expect(whole.split(" ")[0]).toBe(checksum!.sha256);
  });

  it("is a command line that gives the same bytes again", async () => {
    const main = join(cli.there.folder, "dist/cli/main.js");
    const command = finding.provenance!.command!.replace(/^npx glassformer /, `"${process.execPath}" "${main}" `);
    expect(finding.provenance!.command).not.toContain("--json");
    const again = execFileSync("sh", ["-c", `${command} --json`], {
      cwd: cli.folder,
      env: { PATH: process.env.PATH, ...env },
      encoding: "utf8",
    });
    expect(JSON.parse(again)).toEqual(finding);
    expect((await cli.run([...args, "--json"], { env })).stdout).toBe(again);
  });

  it("is TypeScript that gives the same finding again", () => {
    const entry = pathToFileURL(join(cli.there.folder, "dist/node.js"));
    const code = finding.provenance!.code!.replace('"glassformer"', JSON.stringify(entry.href));
    const file = join(cli.folder, "again.mjs");
    writeFileSync(file, `${code}process.stdout.write(JSON.stringify(finding));`);
    const { provenance: _, ...same } = finding;
    expect(JSON.parse(execFileSync(process.execPath, [file], { encoding: "utf8" }))).toEqual(same);
  });

  it("is in the whole text, and not in the brief one", async () => {
    const [full, brief] = await Promise.all([cli.run([...args, "--full"], { env }), cli.run(args, { env })]);
    expect(full.stdout.replace(/\s+/g, " ")).toContain(
      `glassformer activation-patching --model gelu-3l-novels --clean 'My sister'\\''s "best" friend`,
    );
    expect(brief.stdout).not.toContain("SHA-256");
  });

  it("is refused with a time that is none", async () => {
    const { code, stderr } = await cli.run([...args, "--json"], { env: { SOURCE_DATE_EPOCH: "yesterday" } });
    expect(code).toBe(2);
    expect(stderr).toMatch(/SOURCE_DATE_EPOCH is "yesterday", but must be a number of seconds since 1970/);
  });
});
