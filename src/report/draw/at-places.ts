import { escapeMarkup } from "../escape.ts";

/** The attribute of an element that is at a place, or nothing: a page lights it up together with the same place elsewhere. */
export function placed(place: string | undefined): string {
  return place ? ` data-at="${escapeMarkup(place)}"` : "";
}
