/** What an element of a page shows: data as a program gives them, or as a file has them. */
import type { Finding } from "../../finding/finding.ts";
import type { LogitLensCell, PictureSpec } from "../../finding/picture.ts";
import { GlassformerError, UnknownNameError } from "../../tensor/errors.ts";
import { OBJECT } from "../../tensor/kinds.ts";
import { type AttentionHeadsOptions, attentionHeads } from "../attention-heads.ts";
import { type LogitLensTableOptions, logitLensTable } from "../logit-lens-table.ts";
import type { Mountable } from "../mount.ts";
import type { Numbers } from "../numbers.ts";
import type { Picture } from "../picture.ts";
import type { Series } from "../series.ts";
import { type TokensOptions, tokens } from "../tokens.ts";
import { drawn } from "../views/picture-of.ts";

/** `attentionHeads` with its arguments by name. */
export interface AttentionData extends AttentionHeadsOptions {
  readonly tokens: readonly string[];
  readonly patterns: Numbers;
}

/** `tokens` with its arguments by name. */
export interface TokensData extends TokensOptions {
  readonly tokens: readonly string[];
  readonly values: Series;
}

/** `logitLensTable` with its arguments by name. */
export interface LensData extends LogitLensTableOptions {
  readonly tokens: readonly string[];
  readonly cells: readonly (readonly LogitLensCell[])[];
}

/** What an element takes besides pictures and findings. */
export interface Shape<Data> {
  /** The kinds of picture that it shows of a finding. */
  readonly kinds: readonly PictureSpec["kind"][];
  /** Whether data are arguments by name. */
  readonly takes: (data: object) => data is Data & object;
  readonly make: (data: Data) => Picture;
}

export const ATTENTION: Shape<AttentionData> = {
  kinds: ["attention"],
  takes: (data): data is AttentionData => "patterns" in data,
  make: ({ tokens: strTokens, patterns, ...options }) => attentionHeads(strTokens, patterns, options),
};

export const TOKENS: Shape<TokensData> = {
  kinds: ["tokens", "activations"],
  takes: (data): data is TokensData => "values" in data && !("kind" in data),
  make: ({ tokens: strTokens, values, ...options }) => tokens(strTokens, values, options),
};

export const LENS: Shape<LensData> = {
  kinds: ["logit-lens"],
  takes: (data): data is LensData => "cells" in data,
  make: ({ tokens: strTokens, cells, ...options }) => logitLensTable(strTokens, cells, options),
};

/** What is mounted for data. @param name of a finding's picture; without it the first of the element's kind, or else the whole finding */
export function mountableOf<Data>(data: Data | Mountable, shape: Shape<Data>, name = ""): Mountable {
  if (!OBJECT.accepts(data)) return data as Mountable; // refused when it is mounted
  if (shape.takes(data as object)) return shape.make(data as Data);
  const { summary, pictures } = data as Partial<Finding>;
  if (!Array.isArray(summary) || !Array.isArray(pictures)) return data as Mountable;
  const all = drawn(data as Finding).pictures;
  if (!name) return all.find(({ kind }) => shape.kinds.includes(kind)) ?? (data as Finding);
  const found = all.find((picture) => picture.name === name);
  if (!found)
    throw new UnknownNameError(
      "picture of the finding",
      name,
      all.map((picture) => picture.name),
    );
  return found;
}

/** The JSON at an address, without what stands behind its "#". @throws GlassformerError for what cannot be read */
export async function readJson(address: string, base: string, signal: AbortSignal): Promise<unknown> {
  const url = new URL(address, base);
  url.hash = "";
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (cause) {
    throw new GlassformerError(
      `${url} cannot be reached: it is offline, or its server does not let this page read it.`,
      { cause },
    );
  }
  if (!response.ok)
    throw new GlassformerError(`${url} could not be read: status ${response.status}.`, { found: response.status });
  return parsed(await response.text(), `${url}`);
}

/** JSON, or a sentence on where it is not. */
export function parsed(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new GlassformerError(`${where} is not JSON: ${(cause as Error).message}.`, { cause });
  }
}
