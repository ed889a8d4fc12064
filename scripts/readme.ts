/** README.md's pictures, each with the command that makes it. */
import { exampleArguments } from "../src/cli/examples.ts";
import type { Example } from "./pictures.ts";

/** The analyses that are shown there. */
const SHOWN = ["attention-patterns", "logit-lens", "direct-logit-attribution"];

const [START, END] = ["<!-- Pictures: written by `npm run docs` (scripts/readme.ts) -->\n", "<!-- End of pictures -->"];

/** README.md with the pictures as they are now. @throws Error if it has no place for them */
export function withPictures(readme: string, examples: readonly Example[]): string {
  const [before, rest] = readme.split(START);
  const after = rest?.split(END)[1];
  if (after === undefined)
    throw new Error(`README.md needs a place for its pictures: "${START.trim()}", then "${END}".`);
  const shown = SHOWN.map((name) => {
    const { example, question } = examples.find(({ analysis }) => analysis.name === name)!.analysis;
    const command = ["npx glassformer", name, ...exampleArguments(example), "--out report.html"].join(" ");
    return `${question}

    ${command}

![${question}](docs/pictures/${name}.svg)
`;
  });
  return `${before}${START}\n${shown.join("\n")}\n${END}${after}`;
}
