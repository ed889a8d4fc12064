/** Marks whose elements say where they are, so that a page lights them up together with the same place elsewhere. */
import type { RenderFunction } from "@observablehq/plot";
import { escapeMarkup } from "../escape.ts";

/** For a mark whose elements are its data in order: each gets its place, `data-at="layer=0 head=3"`. */
export function atPlaces(data: readonly { readonly place?: string | undefined }[]): {
  readonly render?: RenderFunction;
} {
  if (!data.some(({ place }) => place)) return {};
  return {
    render: (index, scales, values, dimensions, context, next) => {
      const drawn = next?.(index, scales, values, dimensions, context) ?? null;
      [...(drawn?.children ?? [])].forEach((element, i) => {
        const { place } = data[index[i]];
        if (place) element.setAttribute("data-at", place);
      });
      return drawn;
    },
  };
}

/** The attribute of an element that is at a place, or nothing. */
export function placed(place: string | undefined): string {
  return place ? ` data-at="${escapeMarkup(place)}"` : "";
}
