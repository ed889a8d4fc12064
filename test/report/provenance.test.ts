/** Where a finding comes from, in every form of its report. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { VERSION, withProvenance } from "../../src/finding/provenance.ts";
import { render, reportFiles } from "../../src/report/index.ts";
import "../../src/node.ts";
import { ATTACK, nastyFinding } from "./nasty.ts";
import { textsOf } from "./png-texts.ts";
import { seedFinding } from "./seed-finding.ts";

const seed = seedFinding();
const options = {
  command: "npx glassformer diffuse-mlp --top 10",
  code: "const x = 1;",
  checksum: { sha256: "ab".repeat(32), files: ["config.json", "model.safetensors"] },
  date: new Date(0),
};
const made = withProvenance(seed, options);

describe("a finding with its provenance", () => {
  it("names the version of package.json", () => {
    expect(VERSION).toBe(JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version);
    expect(made.provenance!.version).toBe(`glassformer ${VERSION}`);
  });

  it("is the same finding, and the same bytes at the same date", async () => {
    const { provenance, ...same } = made;
    expect(same).toEqual(seed);
    expect(provenance!.date).toBe("1970-01-01T00:00:00Z");
    const again = await reportFiles(withProvenance(seed, options));
    expect(again).toEqual(await reportFiles(made));
  });

  it("takes the time from the clock without a date, and has no checksum for a model without files", () => {
    const before = Date.now();
    const { date, checksum } = withProvenance(seed).provenance!;
    expect(Math.abs(Date.parse(date) - before)).toBeLessThan(60_000);
    expect(checksum).toBeUndefined();
  });

  it("refuses a date without a time", () => {
    expect(() => withProvenance(seed, { date: new Date("never") })).toThrow(/date of withProvenance must be a Date/);
  });

  it("shows it at the end of the page and of the text, and has it in JSON", async () => {
    const footer = /<footer>.*<\/footer>/s.exec(await render(made, "html"))![0].replace(/<.*?>/g, "");
    const text = (await render(made, "text", { text: { width: 200 } })).trimEnd().split("\n");
    const sum = `SHA-256 ${"ab".repeat(32)} of config.json and model.safetensors`;
    for (const part of [`glassformer ${VERSION}`, options.command, sum]) expect(footer).toContain(part);
    expect(text.slice(-3)).toEqual([`glassformer ${VERSION}, 1970-01-01T00:00:00Z`, options.command, sum]);
    expect(JSON.parse(await render(made, "json")).provenance).toEqual(made.provenance);
    expect(await render(withProvenance(seed, { date: new Date(0) }), "html")).toContain("no checksum of the model");
  });

  it("is in the metadata of SVG and PNG files, which are drawn as without it", async () => {
    const svg = await render(made, "svg");
    expect(svg).toContain(`<metadata>glassformer ${VERSION}, 1970-01-01T00:00:00Z\n${options.command}\n`);
    expect(svg.replace(/<metadata>.*?<\/metadata>/s, "")).toBe(await render(seed, "svg"));
    expect(textsOf(await render(made, "png"))).toEqual({
      Software: `glassformer ${VERSION}`,
      "Creation Time": "1970-01-01T00:00:00Z",
      Source: options.command,
      Comment: `SHA-256 ${"ab".repeat(32)} of config.json and model.safetensors`,
    });
    expect(textsOf(await render(seed, "png"))).toEqual({});
  });

  it("cannot break out of the page or the picture", async () => {
    const nasty = withProvenance(nastyFinding, { command: ATTACK, code: ATTACK, date: new Date(0) });
    for (const format of ["html", "svg"] as const) expect(await render(nasty, format)).not.toContain("<img src=x");
  });
});
