/** A finding as a few lines: the question and the answer, and what else it holds. */
import { counted, firstOf } from "../tensor/words.ts";

/** What the lines say of a finding. */
interface Parts {
  readonly analysis: string;
  readonly question: string;
  readonly model: { readonly name: string };
  readonly summary: readonly { readonly text: string }[];
  readonly tables: readonly { readonly name: string }[];
  readonly pictures: readonly { readonly name: string }[];
  readonly caveats: readonly string[];
}

/** Statements that are shown. */
const MOST_STATEMENTS = 3;

/** For consoles: `render(finding, "text")` writes all of it. */
export function findingLines({ analysis, model, question, summary, tables, pictures, caveats }: Parts): string {
  const statements = summary.slice(0, MOST_STATEMENTS).map(({ text }) => `  ${text}`);
  const more = summary.length - statements.length;
  const holds = [
    ...(more > 0 ? [counted(more, "more statement")] : []),
    ...named("table", tables),
    ...named("picture", pictures),
    ...(caveats.length > 0 ? [counted(caveats.length, "caveat")] : []),
  ];
  return [
    `Finding of ${analysis} on ${model.name}: ${question}`,
    ...statements,
    `  (${[...holds, 'all of it: await render(finding, "text")'].join("; ")})`,
  ].join("\n");
}

function named(kind: string, items: readonly { readonly name: string }[]): string[] {
  if (items.length === 0) return [];
  return [`${counted(items.length, kind)} (${firstOf(items.map(({ name }) => name))})`];
}
