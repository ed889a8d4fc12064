/**
 * docs/techniques: a page for each analysis. Its title and how to read its picture are written by hand, in the page; the rest is
 * what the analysis says about itself, and what its example finds.
 */

import type { Analysis } from "../src/analyses/analysis.ts";
import { exampleArguments } from "../src/cli/examples.ts";
import type { Baseline, Reference } from "../src/finding/finding.ts";
import { bundledModel } from "../src/load/names.ts";
import type { Condition, OptionRecord, OptionRecords, Range } from "../src/options/records.ts";
import type { Example } from "./pictures.ts";

/** The section that people write. */
const BY_HAND = "How to read the picture";

/** The page of an analysis, in Markdown. @param before the page as it is, of which the parts by hand are used again */
export function techniquePage({ analysis, found }: Example, before: string): string {
  const { name, question, description, options } = analysis;
  const title = /^# (.+)$/m.exec(before)?.[1];
  const reading = before.split(`## ${BY_HAND}\n`)[1]?.split("\n## ")[0].trim();
  if (!title || !reading)
    throw new Error(`docs/techniques/${name}.md needs a title and the section "${BY_HAND}", written by hand.`);
  const sections = [
    [
      "Example",
      example(
        analysis,
        found.summary.map(({ text }) => text),
      ),
    ],
    [BY_HAND, reading],
    ["Method", found.method.text],
    ["Options", optionTable(options)],
    ["Baselines", `What the numbers of this example are compared with:\n\n${list(found.baselines.map(baseline))}`],
    ["Caveats", list(found.caveats)],
    ["Papers", list(found.method.references.map(paper))],
  ];
  const text = sections.map(([heading, body]) => `## ${heading}\n\n${body}\n`).join("\n");
  return `<!-- Written by \`npm run docs\` from the analysis itself, except for the title and “${BY_HAND}”: those are written here. -->

# ${title}

${question}

${description}

![${found.summary[0].text.replaceAll(/[[\]]/g, "")}](../pictures/${name}.svg)

${text}`;
}

/** The example as a program and as a command, and what it finds. */
function example({ name, model = bundledModel, example: options }: Analysis, summary: readonly string[]): string {
  const called = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  const given = Object.keys(options).length === 0 ? "model" : `model, ${written(options)}`;
  return `\`\`\`ts
import { ${[called, "HookedTransformer"].sort((a, b) => a.localeCompare(b)).join(", ")} } from "glassformer";

const model = await HookedTransformer.fromPretrained("${model}");
const found = await ${called}(${given});
for (const { text } of found.summary) console.log(text);
\`\`\`

It says:

\`\`\`text
${summary.join("\n")}
\`\`\`

From the command line, with a report to look at:

\`\`\`sh
npx glassformer ${[name, ...exampleArguments(options), "--out report.html"].join(" ")}
\`\`\``;
}

/** Options as they stand in code. */
function written(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(written).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{ ${Object.entries(value)
    .map(([key, v]) => `${key}: ${written(v)}`)
    .join(", ")} }`;
}

function optionTable(options: OptionRecords): string {
  const rows = Object.entries(options).map(([name, option]) => {
    const cells = [`\`${name}\``, option.description + conditions(option.only), valuesOf(option), defaultOf(option)];
    return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  });
  return `On the command line \`excludeBos\` is \`--exclude-bos\`, and likewise for the others.

| option | what it is | values | default |
|---|---|---|---|
${rows.join("\n")}`;
}

/** When an option means anything. */
function conditions(only: readonly Condition[] = []): string {
  const of = (values: readonly unknown[]) => values.map((value) => `\`${value ?? "left out"}\``).join(" or ");
  const each = only.map(({ option, is, not }) => `\`${option}\` is ${is ? of(is) : `not ${of(not ?? [])}`}`);
  return each.length === 0 ? "" : ` (only if ${each.join(" and ")})`;
}

/** What values of each type are, where the record says no more. */
const VALUES = {
  layer: "a layer, from 0, or from the end: -1",
  layers: "layers",
  head: "a head's index in its layer",
  heads: "heads' indices in their layer",
  answer: "a text of one token, or an id",
  prompt: "a text, or token ids",
  prompts: "texts, or lists of token ids; in a command a file",
  text: "a text",
  texts: "texts",
  file: "a text, or `{ name, text }`; in a command a file",
  flag: "yes or no",
  model: "a name or a folder",
  dictionary: "a folder or a name on the hub; in code also a `Dictionary`",
  path: "a path",
  paths: "paths",
} as const;

/** What an option may be. */
function valuesOf(option: OptionRecord): string {
  switch (option.type) {
    case "integer": {
      const { least, most } = option;
      const upTo = typeof most === "number" ? ` to ${most}` : most === undefined ? "" : ", up to what the model has";
      return `whole, from ${least}${upTo}`;
    }
    case "number":
      return `a number${bounds(option)}`;
    case "numbers":
      return `${option.count} numbers${bounds(option)}`;
    case "choice":
      return option.choices.map((choice) => `\`${choice}\``).join(", ");
    case "texts":
      return option.among ? option.among.map((text) => `\`${text}\``).join(", ") : VALUES.texts;
    default:
      return VALUES[option.type];
  }
}

function bounds({ above, least, most, below }: Range): string {
  const each = { above, from: least, to: most, below };
  return Object.entries(each)
    .map(([word, bound]) => (bound === undefined ? "" : ` ${word} ${bound}`))
    .join("");
}

/** What leaving an option out means. */
function defaultOf(option: OptionRecord): string {
  if (option.type === "flag") return "no";
  if (option.defaultText !== undefined) return option.defaultText;
  const value = "default" in option ? option.default : undefined;
  return value === undefined ? "" : `\`${written(value)}\``;
}

function baseline({ name, kind, text }: Baseline): string {
  return `**${name}** (${kind}). ${text}`;
}

function paper({ title, url, paper: where }: Reference): string {
  const linked = url ? `[${title}](${url})` : title;
  return where ? `${linked}. ${where}` : linked;
}

function list(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join("\n");
}
