/** A finding as one HTML file: a report that opens offline, in light and dark, on a phone and on paper. */
import type { Finding, Part } from "../finding/finding.ts";
import type { PictureSpec } from "../finding/picture.ts";
import type { Table } from "../finding/table.ts";
import type { View } from "../finding/view.ts";
import { escapeMarkup, escapeProse } from "./escape.ts";
import { backMatter, footer, paragraphs } from "./page/back-matter.ts";
import { type Comparing, comparing } from "./page/comparing.ts";
import { figure } from "./page/figure.ts";
import { idOf } from "./page/ids.ts";
import { LINKED } from "./page/linked-style.ts";
import { PageNeeds } from "./page/needs.ts";
import { tableHtml } from "./page/table.ts";
import { type Chapter, reading } from "./parts.ts";
import { drawn, pictureOf } from "./views/picture-of.ts";

/**
 * The whole report: the question, the answer in a sentence and in a picture, the other results, pictures and tables by part; folded under
 * them what the numbers are compared with, caveats, method and settings.
 */
export async function renderHtml(given: Finding): Promise<string> {
  const finding = drawn(given);
  const needs = new PageNeeds();
  const { chapters } = reading(finding);
  // What is mounted has neither these files nor the list of contents.
  const [{ filesHtml }, { contents }] = await Promise.all([import("./page/files.ts"), import("./page/contents.ts")]);
  const body = [
    await resultsHtml(finding, needs, contents(finding, chapters)),
    footer(finding),
    await filesHtml(finding, needs),
  ];
  return document(given.question, body.filter(Boolean).join("\n"), needs);
}

/** A finding within another page: everything but how it was made and saved. */
export function findingHtml(finding: Finding, needs: PageNeeds): Promise<string> {
  return resultsHtml(finding, needs);
}

/** The answer, the other results, and what explains them; the list of `contents` stands after the first results. */
async function resultsHtml(finding: Finding, needs: PageNeeds, contents = ""): Promise<string> {
  needs.features.add(LINKED);
  const compare = comparing(finding.baselines);
  const { answer, chapters } = reading(finding);
  const body = [
    `<header><p class="kicker">${escapeMarkup(finding.analysis)} on ${escapeMarkup(finding.model.name)}</p>`,
    `<h1>${escapeMarkup(finding.question)}</h1>`,
    `<p class="lead">${escapeProse(finding.summary[0].text)}</p>${compare.statement(finding.summary[0])}</header>`,
    answer ? await figureOf(answer, finding.tables, needs, 1) : "",
    furtherResults(finding, compare),
    contents,
    await results(finding.tables, chapters, answer ? 1 : 0, needs, compare),
    backMatter(finding),
  ];
  return body.filter(Boolean).join("\n");
}

/** A page with one picture. */
export async function picturePage(spec: PictureSpec): Promise<string> {
  const needs = new PageNeeds();
  const body = await figure(spec, needs);
  return document(spec.title || spec.name, body, needs);
}

/** The page's scripts are loaded only where a page is written: what is mounted has none. */
async function document(title: string, body: string, needs: PageNeeds): Promise<string> {
  const { pageDocument } = await import("./page/document.ts");
  return pageDocument(title, body, needs);
}

function furtherResults(finding: Finding, compare: Comparing): string {
  const items = finding.summary
    .slice(1)
    .map((statement) => `<li>${escapeProse(statement.text)}${compare.statement(statement)}</li>`);
  return items.length > 0 ? `<ul class="results">\n${items.join("\n")}\n</ul>` : "";
}

/** Pictures, of any of the tables, and tables by part; `number` figures came before. */
async function results(
  all: readonly Table[],
  chapters: readonly Chapter<View | PictureSpec>[],
  number: number,
  needs: PageNeeds,
  compare: Comparing,
): Promise<string> {
  const parts: string[] = [];
  let figures = number;
  for (const { part, pictures, tables } of chapters) {
    if (part) parts.push(heading(part));
    for (const picture of pictures) {
      parts.push(await figureOf(picture, all, needs, ++figures));
    }
    for (const table of tables) {
      await needs.turn();
      parts.push(tableHtml(table, compare, needs));
    }
  }
  return parts.join("\n");
}

/** A picture with its number. Between drawing it up and writing it a page does what waits. */
async function figureOf(
  picture: View | PictureSpec,
  tables: readonly Table[],
  needs: PageNeeds,
  number: number,
): Promise<string> {
  await needs.turn();
  const spec = pictureOf(picture, tables);
  await needs.turn();
  return figure(spec, needs, `Figure ${number}`);
}

function heading(part: Part): string {
  return `<h2 id="${idOf("part", part.name)}">${escapeMarkup(part.title)}</h2>\n${paragraphs(part.text ?? "")}`;
}
