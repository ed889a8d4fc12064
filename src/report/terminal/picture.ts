/** A finding's pictures in a terminal with colours: tokens on their colours, the cells of heatmaps. Other pictures are not drawn there. */
import type { PictureSpec } from "../../finding/picture.ts";
import { attentionLines } from "./attention.ts";
import { gridLines } from "./grid.ts";
import { lensLines } from "./logit-lens.ts";
import type { Room } from "./room.ts";
import { tokenLines } from "./tokens.ts";

/** The picture as lines; none if it is of another kind, does not fit, or there are no colours. */
export function pictureText(spec: PictureSpec, { ink, ...size }: Omit<Room, "paint">): string[] {
  if (!ink.paint) return [];
  const room = { ...size, ink, paint: ink.paint };
  switch (spec.kind) {
    case "tokens":
      return tokenLines(spec, room);
    case "imshow":
    case "facets":
      return gridLines(spec, room);
    case "logit-lens":
      return lensLines(spec, room);
    case "attention":
      return attentionLines(spec, room);
    default:
      return [];
  }
}
