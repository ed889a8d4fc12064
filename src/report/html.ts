/** A finding as one HTML file: a report that opens offline, in light and dark, on a phone and on paper. */
import type { Baseline, Finding, Part, Reference, Statement } from "../finding/finding.ts";
import type { PictureSpec } from "../finding/picture.ts";
import type { Scalar } from "../finding/table.ts";
import { baselineFigures, comparisonOf } from "./baseline-text.ts";
import { escapeMarkup, escapeProse } from "./escape.ts";
import { formatScalar } from "./format.ts";
import { pageDocument } from "./page/document.ts";
import { figure } from "./page/figure.ts";
import { PageNeeds } from "./page/needs.ts";
import { tableHtml } from "./page/table.ts";
import { chapters } from "./parts.ts";
import { type DrawnFinding, drawn } from "./views/picture-of.ts";

/** The whole report. The answer comes first, then pictures and tables by part, comparisons, caveats, method. */
export async function renderHtml(given: Finding): Promise<string> {
  const finding = drawn(given);
  const needs = new PageNeeds();
  const body = [
    `<header><p class="kicker">${escapeMarkup(finding.analysis)} on ${escapeMarkup(finding.model.name)}</p>`,
    `<h1>${escapeMarkup(finding.question)}</h1></header>`,
    answer(finding),
    contents(finding),
    await results(finding, needs),
    comparisons(finding.baselines),
    caveats(finding.caveats),
    method(finding),
    facts("model", "Model", { name: finding.model.name, ...finding.model.config }),
    facts("settings", "Settings", finding.settings),
    `<footer>Made by glassformer. Every number and picture on this page is also in the JSON form.</footer>`,
  ];
  return pageDocument(finding.question, body.filter(Boolean).join("\n"), needs);
}

/** A page with one picture. */
export async function picturePage(spec: PictureSpec): Promise<string> {
  const needs = new PageNeeds();
  const body = await figure(spec, needs);
  return pageDocument(spec.title || spec.name, body, needs);
}

function answer(finding: Finding): string {
  const [first, ...rest] = finding.summary;
  const items = rest.map((statement) => `<li>${escapeProse(statement.text)}${against(statement, finding)}</li>`);
  return (
    `<section class="answer" aria-label="Answer">\n<p class="lead">${escapeProse(first.text)}</p>${against(first, finding)}\n` +
    (items.length > 0 ? `<ul>\n${items.join("\n")}\n</ul>\n` : "") +
    `</section>`
  );
}

function against(statement: Statement, finding: Finding): string {
  const text = comparisonOf(statement, finding);
  return text ? ` <span class="against">${escapeProse(text)}</span>` : "";
}

function contents(finding: DrawnFinding): string {
  const entries: [string, string][] = [
    ...(finding.parts ?? []).map((part): [string, string] => [`part-${part.name}`, part.title]),
    ["comparisons", "Comparisons"],
    ["caveats", "Caveats"],
    ["method", "Method"],
  ];
  const links = entries.map(([id, title]) => `<a href="#${escapeMarkup(id)}">${escapeMarkup(title)}</a>`);
  return `<nav aria-label="Contents">${links.join("")}</nav>`;
}

async function results(finding: DrawnFinding, needs: PageNeeds): Promise<string> {
  const parts: string[] = [];
  let number = 0;
  for (const { part, pictures, tables } of chapters(finding)) {
    if (part) parts.push(heading(part));
    for (const spec of pictures) parts.push(await figure(spec, needs, `Figure ${++number}`));
    for (const table of tables) parts.push(tableHtml(table, finding));
  }
  return parts.join("\n");
}

function heading(part: Part): string {
  return `<h2 id="part-${escapeMarkup(part.name)}">${escapeMarkup(part.title)}</h2>\n${paragraphs(part.text ?? "")}`;
}

function comparisons(baselines: readonly Baseline[]): string {
  const entries = baselines.map((baseline) => {
    return (
      `<dt>${escapeMarkup(baseline.name)}<span class="unit">${baseline.kind}</span></dt>` +
      `<dd><strong>${escapeProse(baselineFigures(baseline))}</strong><br>${escapeProse(baseline.text)}</dd>`
    );
  });
  return `<h2 id="comparisons">What the numbers are compared with</h2>\n<dl>${entries.join("\n")}</dl>`;
}

function caveats(texts: readonly string[]): string {
  const items = texts.map((text) => `<li>${escapeProse(text)}</li>`);
  return `<aside class="caveats" aria-labelledby="caveats">\n<h2 id="caveats">Caveats</h2>\n<ul>\n${items.join("\n")}\n</ul>\n</aside>`;
}

function method(finding: Finding): string {
  const references = finding.method.references.map((reference) => `<li>${referenceHtml(reference)}</li>`);
  return (
    `<h2 id="method">Method</h2>\n${paragraphs(finding.method.text)}` +
    (references.length > 0 ? `\n<ol class="references">\n${references.join("\n")}\n</ol>` : "")
  );
}

function referenceHtml({ title, url, paper }: Reference): string {
  const linked = url && /^https?:\/\//.test(url);
  const name = linked ? `<a href="${escapeMarkup(url)}">${escapeMarkup(title)}</a>` : escapeMarkup(title);
  return [name, ...(paper ? [escapeMarkup(paper)] : []), ...(url && !linked ? [escapeMarkup(url)] : [])].join(". ");
}

function facts(id: string, title: string, values: Readonly<Record<string, Scalar>>): string {
  const entries = Object.entries(values).map(
    ([name, value]) => `<dt>${escapeMarkup(name)}</dt><dd>${escapeMarkup(formatScalar(value))}</dd>`,
  );
  return entries.length === 0 ? "" : `<h2 id="${id}">${title}</h2>\n<dl class="facts">${entries.join("\n")}</dl>`;
}

function paragraphs(text: string): string {
  const blocks = text.split(/\n\s*\n/).filter((block) => block.trim() !== "");
  return blocks.map((block) => `<p>${escapeProse(block.trim())}</p>`).join("\n");
}
