/** What the numbers of a page are compared with: each baseline is described once, where it is first needed; after that its name is enough. */
import type { Baseline, Statement } from "../../finding/finding.ts";
import type { Table } from "../../finding/table.ts";
import { baselineSentence, compared } from "../baseline-text.ts";
import { escapeMarkup, escapeProse } from "../escape.ts";
import { idOf } from "./ids.ts";

export interface Comparing {
  /** What a statement is compared with, apart from what a statement before it was. */
  readonly statement: (statement: Statement) => string;
  readonly table: (table: Table) => string;
}

export function comparing(baselines: readonly Baseline[]): Comparing {
  const told = new Set<string>();
  const tell = (names: readonly string[]) => {
    const found = baselines.filter(({ name }) => names.includes(name));
    const fresh = found.filter(({ name }) => !told.has(name));
    for (const { name } of fresh) told.add(name);
    return { fresh, known: found.filter((baseline) => !fresh.includes(baseline)) };
  };
  return {
    statement: ({ figure }) => {
      const text = compared(tell(figure?.comparedWith ?? []).fresh);
      return text && ` <span class="against">${escapeProse(text)}</span>`;
    },
    table: ({ comparedWith = [] }) => {
      const { fresh, known } = tell(comparedWith);
      const names = known.map(({ name }) => `<a href="#${idOf("baseline", name)}">${escapeMarkup(name)}</a>`);
      const texts = [
        ...(names.length > 0 ? [`Compare with ${names.join(", ")}.`] : []),
        ...fresh.map((baseline) => `Compare with ${escapeProse(baselineSentence(baseline))}`),
      ];
      return texts.length > 0 ? `\n<p class="note">${texts.join(" ")}</p>` : "";
    },
  };
}
