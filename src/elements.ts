/**
 * Elements for other people's pages: importing this defines them. No engine and no model is part of it.
 *
 *     <glass-attention src="finding.json#patterns"></glass-attention>
 *     <glass-tokens data='{ "tokens": ["It", " was"], "values": { "loss": [null, 3.2] } }'></glass-tokens>
 *     <glass-lens><script type="application/json">{ "tokens": […], "cells": […] }</script></glass-lens>
 *
 * Each has the properties `data`, `src` and `state`, the attribute `theme` (`light`, `dark`; by default its page's), and the events `select` and `hover` (their `detail` is a
 * place, `{ layer: 0, head: 3, pos: 5 }`, or `null`), `change` (its `detail` is the state), `load` and `error`. As with `mount`, they need nothing
 * that a strict content security policy refuses, and their look changes with CSS variables: `glass-tokens { --rem: 14px; }`.
 */
import { ATTENTION, type AttentionData, LENS, type LensData, TOKENS, type TokensData } from "./report/elements/data.ts";
import { GlassElement } from "./report/elements/glass-element.ts";

export type { AttentionData, LensData, TokensData } from "./report/elements/data.ts";
export type { GlassElement } from "./report/elements/glass-element.ts";
export {
  type ActivationsState,
  type AttentionState,
  type GraphState,
  type Mountable,
  type Mounted,
  type MountOptions,
  mount,
  type ViewEvents,
  type ViewPlace,
  type ViewState,
} from "./report/mount.ts";

/** `<glass-attention>`: attention patterns, of `{ tokens, patterns }` as `attentionHeads` takes them, or of a finding. */
export class GlassAttention extends GlassElement<AttentionData> {
  readonly shape = ATTENTION;
}

/** `<glass-tokens>`: tokens coloured by numbers, of `{ tokens, values }` as `tokens` takes them, or of a finding. */
export class GlassTokens extends GlassElement<TokensData> {
  readonly shape = TOKENS;
}

/** `<glass-lens>`: what each layer predicts, of `{ tokens, cells }` as `logitLensTable` takes them, or of a finding. */
export class GlassLens extends GlassElement<LensData> {
  readonly shape = LENS;
}

const ELEMENTS = { "glass-attention": GlassAttention, "glass-tokens": GlassTokens, "glass-lens": GlassLens };

declare global {
  interface HTMLElementTagNameMap {
    "glass-attention": GlassAttention;
    "glass-tokens": GlassTokens;
    "glass-lens": GlassLens;
  }
}

for (const [name, element] of Object.entries(ELEMENTS)) {
  if (typeof customElements !== "undefined" && !customElements.get(name)) customElements.define(name, element);
}
