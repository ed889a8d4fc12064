/** Memory does not grow with the text. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const child = fileURLToPath(new URL("memory-child.ts", import.meta.url));

describe("a scan", () => {
  it("of 60 MB needs no more memory than of 6 MB", async () => {
    const folder = mkdtempSync(join(tmpdir(), "glassformer-scan-"));
    try {
      const path = join(folder, "long.txt");
      // Long words: it is the bytes that must not stay in memory, and the tokens that take time.
      const line = `The gentleman ${"incomprehensibilities".repeat(20)} went to the ${"counterrevolutionaries".repeat(20)}\n`;
      writeFileSync(path, line.repeat(Math.ceil(60e6 / line.length)));
      const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", child, path]);
      const { early, peak, tokens } = JSON.parse(stdout);
      expect(tokens).toBeGreaterThan(400_000);
      // What comes after the first tenth has 54 MB. Of what V8 has not collected yet there were up to 30.
      expect(peak - early).toBeLessThan(45e6);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 60_000);
});
