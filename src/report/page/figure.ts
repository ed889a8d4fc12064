import type { PictureSpec } from "../../finding/picture.ts";
import { DEFAULT_WIDTH, drawFor } from "../draw/draw.ts";
import { arePixels } from "../draw/facets.ts";
import { isPixels } from "../draw/imshow.ts";
import { escapeMarkup, escapeProse } from "../escape.ts";
import { activationsHtml } from "./activations.ts";
import { attentionHtml } from "./attention.ts";
import { logitLensHtml } from "./logit-lens.ts";
import type { PageNeeds } from "./needs.ts";
import { pixelsHtml } from "./pixels.ts";
import { tokensHtml } from "./tokens.ts";
import { topkHtml } from "./topk.ts";

/** The width of a drawing for a phone: drawn separately, because shrinking a chart shrinks its letters. */
const NARROW = 350;

/** Whether a picture is wider than the text, if the window has room. */
function isBroad(spec: PictureSpec): boolean {
  return spec.kind === "logit-lens" || spec.kind === "topk" || (spec.kind === "attention" && spec.heads.length > 1);
}

/** A picture with its caption; `numbering` is "Figure 3", or nothing for a picture alone. */
export async function figure(spec: PictureSpec, needs: PageNeeds, numbering = ""): Promise<string> {
  const heading = [numbering, spec.title].filter(Boolean).map((text) => escapeMarkup(text).replace(/\.$/, "") + ".");
  const caption = [heading.length > 0 ? `<b>${heading.join(" ")}</b>` : "", escapeProse(spec.caption ?? "")];
  const words = caption.filter(Boolean).join(" ");
  const content = await contentOf(spec, needs);
  return (
    `<figure id="figure-${escapeMarkup(spec.name)}"${isBroad(spec) ? ` class="broad"` : ""}>\n${content}` +
    (words ? `\n<figcaption>${words}</figcaption>` : "") +
    `\n</figure>`
  );
}

async function contentOf(spec: PictureSpec, needs: PageNeeds): Promise<string> {
  switch (spec.kind) {
    case "tokens":
      return tokensHtml(spec, needs.tokens);
    case "attention":
      return attentionHtml(spec, needs);
    case "activations":
      return activationsHtml(spec, needs);
    case "topk":
      return topkHtml(spec, needs);
    case "logit-lens":
      return logitLensHtml(spec, needs);
    default: {
      const wide = await drawFor(spec, { words: false, width: spec.width ?? DEFAULT_WIDTH }, true);
      const narrow = await drawFor(spec, { words: false, width: Math.min(NARROW, spec.width ?? NARROW) }, true);
      const both = `<div class="wide">${wide}</div><div class="narrow">${narrow}</div>`;
      const pixels = (spec.kind === "imshow" && isPixels(spec)) || (spec.kind === "facets" && arePixels(spec));
      return pixels ? pixelsHtml(spec, both, needs) : both;
    }
  }
}
