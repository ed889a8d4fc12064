/** What is mounted, as markup and the style that it needs. */
import { pause } from "../../engine/pause.ts";
import type { Finding } from "../../finding/finding.ts";
import type { PictureSpec } from "../../finding/picture.ts";
import { isView, type View } from "../../finding/view.ts";
import { ArgumentError, UnknownNameError } from "../../tensor/errors.ts";
import { OBJECT } from "../../tensor/kinds.ts";
import { shown } from "../../tensor/show.ts";
import { PICTURE_KINDS } from "../draw/drawing.ts";
import { escapeMarkup } from "../escape.ts";
import { findingHtml } from "../html.ts";
import type { StoredAttention } from "../page/client/attention/data.ts";
import { figure } from "../page/figure.ts";
import { LINKED } from "../page/linked-style.ts";
import { mountedStyle } from "../page/mounted-style.ts";
import { type Feature, PageNeeds } from "../page/needs.ts";
import { isPicture, type Picture, specOf } from "../picture.ts";

/** A picture, what `picture.spec` holds, or a finding. */
export type Mountable = Picture | PictureSpec | Finding;

/** Markup without attributes that a page's policy may refuse, and what belongs to it. */
export interface Content {
  readonly html: string;
  readonly style: { readonly light: string; readonly dark: string };
  readonly features: ReadonlySet<Feature>;
  /** The weights of its pictures of attention, by their numbers. */
  readonly attention: readonly StoredAttention[];
  /** What makes the markup of what is folded, by its number. */
  readonly folded: readonly (() => string)[];
}

/** An element's style, which is not there as an attribute: a page's policy refuses those, but not what a script sets. */
export const STYLE_ATTRIBUTE = "data-css";

export async function contentOf(given: Mountable): Promise<Content> {
  const needs = new PageNeeds({ still: false, turn: pause });
  needs.features.add(LINKED);
  const html = await htmlOf(given, needs);
  const style = mountedStyle(html, needs);
  const folded = needs.folded.map((make) => () => withoutStyles(make()));
  return { html: withoutStyles(html), style, features: needs.features, attention: needs.attention, folded };
}

/** Within markup a text's own quotes are escaped, so what is replaced is nowhere but in tags. */
function withoutStyles(html: string): string {
  return html.replaceAll(' style="', ` ${STYLE_ATTRIBUTE}="`);
}

async function htmlOf(given: Mountable, needs: PageNeeds): Promise<string> {
  if (isPicture(given)) return figure(await specOf(given), needs);
  if ("kind" in given) return figure(given, needs);
  const { question } = given as Finding;
  return `<article aria-label="${escapeMarkup(question)}">\n${await findingHtml(given as Finding, needs)}\n</article>`;
}

/** @throws ArgumentError for what is neither a picture nor a finding */
export function checkMountable(given: unknown): asserts given is Mountable {
  if (OBJECT.accepts(given)) {
    const { kind, summary, pictures } = given as Partial<PictureSpec & Finding>;
    if (isPicture(given as object) || (Array.isArray(summary) && Array.isArray(pictures))) return;
    if (isView(given as View)) {
      throw new ArgumentError(
        "This picture is a view of a finding's table and has no numbers of its own: mount the finding.",
        { asked: given },
      );
    }
    if (PICTURE_KINDS.includes(`${kind}`)) return;
    if (typeof kind === "string") throw new UnknownNameError("kind of picture", kind, PICTURE_KINDS);
  }
  throw new ArgumentError(
    `mount takes a picture, as imshow or attentionHeads return it, or a finding, as an analysis returns it, not ${shown(given)}.`,
    { asked: given },
  );
}
