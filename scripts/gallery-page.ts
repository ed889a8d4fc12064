/** docs/gallery.md: a picture of every analysis and every kind, each with what makes it. */
import { readFileSync } from "node:fs";
import { exampleArguments } from "../src/cli/examples.ts";
import type { Drawn, Example } from "./pictures.ts";

/** The page, in Markdown. */
export function galleryPage(examples: readonly Example[], gallery: readonly Drawn[]): string {
  const analyses = examples.map(({ analysis: { name, question, example } }) => {
    const command = ["npx glassformer", name, ...exampleArguments(example), "--out report.html"].join(" ");
    return `### [${name}](techniques/${name}.md)

${question}

![${question}](pictures/${name}.svg)

\`\`\`sh
${command}
\`\`\`
`;
  });
  const kinds = gallery.map(({ name }) => {
    const source = readFileSync(new URL(`../examples/gallery/${name}.ts`, import.meta.url), "utf8");
    const [, what, code] = /^\/\*\* (.*) \*\/\n([\s\S]*)$/.exec(source)!;
    return `### ${name}

${what}

![${what}](pictures/kind-${name}.svg)

\`\`\`ts
${asUsed(code)}
\`\`\`
`;
  });
  return `<!-- Written by \`npm run docs\`: change the analyses' examples or examples/gallery, not this file. -->

# Gallery

Every picture here is drawn on a bundled model by what stands below it. As HTML (\`--out report.html\`, or \`await picture.html()\`) each can be
pointed at, and shows more than here; the same calls give SVG and PNG, in Node and in a page.

## Of analyses

Each command writes a report with this picture and others, tables, what to compare the numbers with, and caveats.

${analyses.join("\n")}
## Of numbers

${kinds.join("\n")}`;
}

/** A program as it stands outside the repository. */
function asUsed(code: string): string {
  return code
    .replace('"../../src/node.ts"', '"glassformer"')
    .replace("export default ", "const picture = ")
    .trimEnd()
    .concat("\nconst svg = await picture.svg();");
}
