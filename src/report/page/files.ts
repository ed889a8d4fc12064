import type { Finding } from "../../finding/finding.ts";
import { base64 } from "../../tensor/base64.ts";
import { escapeMarkup } from "../escape.ts";
import { type Exported, exported } from "../exported.ts";
import { pngTexts } from "../stamp.ts";
import type { FilesData } from "./client/files.ts";
import { FILES } from "./files-style.ts";
import { idOf } from "./ids.ts";
import type { PageNeeds } from "./needs.ts";

/** A page does not include forms with more numbers or letters than this: they are in the files of a folder. */
const MOST_NUMBERS = 300_000;
const MOST_LETTERS = 3_000_000;

/** What the page's buttons save and copy: each picture and table as its files have it, compressed, and the provenance's command and code. */
export async function filesHtml(finding: Finding, needs: PageNeeds): Promise<string> {
  needs.features.add(FILES);
  const parts = exported(finding);
  const contents = await Promise.all(parts.map(contentOf));
  const { command, code } = finding.provenance ?? {};
  const have: FilesData = {
    files: parts.map(({ of, name, title, file }, i) => ({
      id: idOf(of === "picture" ? "figure" : "table", name),
      title,
      file,
      forms: Object.keys(contents[i]),
    })),
    ...(finding.provenance ? { stamp: pngTexts(finding.provenance) } : {}),
    copies: [...(command ? [["command", command] as const] : []), ...(code ? [["code", code] as const] : [])],
  };
  const packed = base64(await gzipped(JSON.stringify(contents)));
  return `<template id="files" data-have="${escapeMarkup(JSON.stringify(have))}">${packed}</template>`;
}

async function contentOf({ content: data, forms }: Exported): Promise<Record<string, string>> {
  const contents: Record<string, string> = {};
  for (const [ending, make] of Object.entries(forms)) {
    if (ending === "json" && numbersIn(data()) > MOST_NUMBERS) continue;
    const content = await make();
    if (content.length <= MOST_LETTERS) contents[ending] = content;
  }
  return contents;
}

async function gzipped(text: string): Promise<Uint8Array> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Texts are shorter than this; packed numbers (attention patterns) are longer. */
const LONGEST_TEXT = 2000;

function numbersIn(value: unknown): number {
  if (typeof value === "string") return value.length > LONGEST_TEXT ? value.length : 0;
  if (typeof value !== "object" || value === null) return typeof value === "number" ? 1 : 0;
  let sum = 0;
  for (const part of Object.values(value)) sum += numbersIn(part);
  return sum;
}
