/** What stands at the end of a report, folded: comparisons, caveats, method, model and settings. */
import type { Baseline, Finding, Reference } from "../../finding/finding.ts";
import type { Scalar } from "../../finding/table.ts";
import { baselineFigures } from "../baseline-text.ts";
import { escapeMarkup, escapeProse } from "../escape.ts";
import { formatScalar } from "../format.ts";
import { checksumText } from "../provenance-text.ts";
import { idOf } from "./ids.ts";

/** A folded section with its heading. */
export interface Section {
  readonly id: string;
  readonly title: string;
  /** How many things are in it. */
  readonly count?: number;
  readonly html: string;
}

export function backMatter(finding: Finding): string {
  const sections = sectionsOf(finding).map(
    ({ id, title, count, html }) =>
      `<details class="section" id="${id}"><summary><h2>${title}${count === undefined ? "" : ` <small>${count}</small>`}</h2></summary>\n${html}\n</details>`,
  );
  return `<div class="back">\n${sections.join("\n")}\n</div>`;
}

export function sectionsOf(finding: Finding): Section[] {
  const { baselines, caveats, model, settings } = finding;
  const sections = [
    {
      id: "comparisons",
      title: "What the numbers are compared with",
      count: baselines.length,
      html: comparisons(baselines),
    },
    { id: "caveats", title: "Caveats", count: caveats.length, html: items(caveats) },
    { id: "method", title: "Method", html: method(finding) },
    { id: "settings", title: "Settings", html: facts(settings) },
    { id: "model", title: "Model", html: facts({ name: model.name, ...model.config }) },
  ];
  return sections.filter(({ html }) => html !== "");
}

/** How the finding was made. */
export function footer({ provenance }: Finding): string {
  if (!provenance)
    return "<footer>Made by glassformer. Every number and picture on this page is also in the JSON form.</footer>";
  const { version, date, command } = provenance;
  const lines = [
    `${escapeMarkup(version)} · <time datetime="${escapeMarkup(date)}">${escapeMarkup(date.slice(0, 10))}</time>`,
    ...(command
      ? [`<code>${escapeMarkup(command).replace(/(?<= )--[\w-]+/g, '<span class="flag">$&</span>')}</code>`]
      : []),
    escapeMarkup(checksumText(provenance)),
  ];
  return `<footer>${lines.join("<br>\n")}</footer>`;
}

/** Paragraphs, separated by empty lines. */
export function paragraphs(text: string): string {
  const blocks = text.split(/\n\s*\n/).filter((block) => block.trim() !== "");
  return blocks.map((block) => `<p>${escapeProse(block.trim())}</p>`).join("\n");
}

function comparisons(baselines: readonly Baseline[]): string {
  const entries = baselines.map(
    (baseline) =>
      `<dt id="${idOf("baseline", baseline.name)}">${escapeMarkup(baseline.name)}<span class="unit">${baseline.kind}</span></dt>` +
      `<dd><strong>${escapeProse(baselineFigures(baseline))}</strong><br>${escapeProse(baseline.text)}</dd>`,
  );
  return entries.length === 0 ? "" : `<dl>${entries.join("\n")}</dl>`;
}

function items(texts: readonly string[]): string {
  if (texts.length === 0) return "";
  return `<ul>\n${texts.map((text) => `<li>${escapeProse(text)}</li>`).join("\n")}\n</ul>`;
}

function method({ method: { text, references } }: Finding): string {
  const list = references.map((reference) => `<li>${referenceHtml(reference)}</li>`);
  return paragraphs(text) + (list.length > 0 ? `\n<ol class="references">\n${list.join("\n")}\n</ol>` : "");
}

function referenceHtml({ title, url, paper }: Reference): string {
  const linked = url && /^https?:\/\//.test(url);
  const name = linked ? `<a href="${escapeMarkup(url)}">${escapeMarkup(title)}</a>` : escapeMarkup(title);
  return [name, ...(paper ? [escapeMarkup(paper)] : []), ...(url && !linked ? [escapeMarkup(url)] : [])].join(". ");
}

function facts(values: Readonly<Record<string, Scalar>>): string {
  const entries = Object.entries(values).map(
    ([name, value]) => `<dt>${escapeMarkup(name)}</dt><dd>${escapeMarkup(formatScalar(value))}</dd>`,
  );
  return entries.length === 0 ? "" : `<dl class="facts">${entries.join("\n")}</dl>`;
}
