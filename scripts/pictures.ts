/** Pictures for the documents: of every analysis' example, and of every program in examples/gallery. */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Analysis } from "../src/analyses/analysis.ts";
import type { Finding } from "../src/finding/finding.ts";
import { bundledModel } from "../src/load/names.ts";
import { ANALYSES, HookedTransformer, type Picture, picture } from "../src/node.ts";
import { reading } from "../src/report/parts.ts";
import { drawn } from "../src/report/views/picture-of.ts";

/** An analysis with the finding of its example on its bundled model, and the picture that answers its question. */
export interface Example {
  readonly analysis: Analysis;
  readonly found: Finding;
  readonly svg: string;
}

/** Every analysis' example, run. */
export async function runExamples(): Promise<Example[]> {
  const examples: Example[] = [];
  for (const analysis of ANALYSES) {
    const model = await HookedTransformer.fromPretrained(analysis.model ?? bundledModel);
    const found = await analysis.run(model, analysis.example);
    const svg = await picture(reading(drawn(found)).answer!).svg();
    examples.push({ analysis, found, svg: onPaper(svg) });
  }
  return examples;
}

/** A program in examples/gallery: what it draws, and its picture. */
export interface Drawn {
  /** `imshow`, as the file is called. */
  readonly name: string;
  readonly svg: string;
}

/** The programs of the gallery, run. */
export async function runGallery(): Promise<Drawn[]> {
  const folder = new URL("../examples/gallery/", import.meta.url);
  const files = readdirSync(fileURLToPath(folder)).sort();
  return Promise.all(
    files.map(async (file) => {
      const { default: made } = (await import(new URL(file, folder).href)) as { default: Picture };
      return { name: file.replace(/\.ts$/, ""), svg: onPaper(await made.svg()) };
    }),
  );
}

/** A picture on white: pages that show documents may be dark, and an image does not know. */
function onPaper(svg: string): string {
  const [x, y, width, height] = / viewBox="([^"]+)"/.exec(svg)![1].split(" ");
  const paper = `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="#fff"/>`;
  return `${svg.replace(/^<svg [^>]*>/, (start) => `${start.replace("<svg ", '<svg color="#1f2328" ')}${paper}`)}\n`;
}
