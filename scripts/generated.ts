/** Everything in docs/ and README.md that is made from the code: text by path. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { galleryPage } from "./gallery-page.ts";
import { hookNamesPage } from "./hook-names.ts";
import { modelsPage } from "./models-page.ts";
import { runExamples, runGallery } from "./pictures.ts";
import { withPictures } from "./readme.ts";
import { techniquePage } from "./technique-pages.ts";

/** Where docs/ is. */
export const docs = fileURLToPath(new URL("../docs/", import.meta.url));

/** What is there at a path in docs/ now. */
export function present(path: string): string {
  return existsSync(docs + path) ? readFileSync(docs + path, "utf8") : "";
}

/** Every generated file: its path from docs/, and its text as it should be. */
export async function generated(): Promise<ReadonlyMap<string, string>> {
  const examples = await runExamples();
  const gallery = await runGallery();
  return new Map([
    ["hook-names.md", hookNamesPage()],
    ["models.md", modelsPage()],
    ["gallery.md", galleryPage(examples, gallery)],
    ["../README.md", withPictures(present("../README.md"), examples)],
    ...examples.map((example): [string, string] => {
      const path = `techniques/${example.analysis.name}.md`;
      return [path, techniquePage(example, present(path))];
    }),
    ...examples.map(({ analysis, svg }): [string, string] => [`pictures/${analysis.name}.svg`, svg]),
    ...gallery.map(({ name, svg }): [string, string] => [`pictures/kind-${name}.svg`, svg]),
  ]);
}

/** A picture that `npm run picture` makes. */
const OF_THE_PAGE = "pictures/page.png";

/** Pictures that nothing makes any more. */
export function leftOver(files: ReadonlyMap<string, string>): string[] {
  const there = existsSync(`${docs}pictures`) ? readdirSync(`${docs}pictures`) : [];
  return there.map((name) => `pictures/${name}`).filter((path) => path !== OF_THE_PAGE && !files.has(path));
}
