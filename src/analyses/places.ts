/** Places in a model and in a text, as sentences name them and as tables list them. */
import { HEAD, LAYER, POS, SITE, TOKEN } from "../finding/columns.ts";
import { as, type Cell } from "../finding/table.ts";
import { type ComponentPlace, componentName } from "../lens/components.ts";
import { quoted } from "../tensor/words.ts";

/** A row of a measure that says where an activation is. */
export interface SitePlace extends ComponentPlace {
  readonly site: string;
  readonly pos?: number | undefined;
  readonly query?: number | undefined;
  readonly key?: number | undefined;
}

/** “ she” (position 5) */
export function tokenAt(tokens: readonly string[], pos: number, word = "position"): string {
  return `${quoted(tokens[pos])} (${word} ${pos})`;
}

/** "z of L0H1 at “ she” (position 5)", "resid_pre of layer 0 at “ she” (position 5)" */
export function placeName(place: SitePlace, tokens: readonly string[]): string {
  return `${place.site} of ${placeWithin(place, tokens)}`;
}

/** The same without its site; @param word what a position is called */
export function placeWithin(place: SitePlace, tokens: readonly string[], word?: string): string {
  const { layer, pos, query, key } = place;
  const label = componentName(place);
  const of = label === `L${layer}` ? `layer ${layer}` : label;
  const at = (pos: number) => tokenAt(tokens, pos, word);
  if (query !== undefined && key !== undefined) return `${of} from ${at(query)} to ${at(key)}`;
  return pos === undefined ? of : `${of} at ${at(pos)}`;
}

/** The columns of patched places. */
export function placeCells<R extends SitePlace>(tokens: readonly string[]): Cell<R>[] {
  const posOf = ({ pos, query }: R) => pos ?? query ?? null;
  const tokenOf = (pos: number | null) => (pos === null ? null : tokens[pos]);
  return [
    [as(SITE, "What was patched."), ({ site }) => site],
    [LAYER, ({ layer }) => layer],
    [as(POS, "The position; of a pattern, the query's. None means all positions."), posOf],
    [as(TOKEN, "The clean prompt's token at that position."), (row) => tokenOf(posOf(row))],
    [
      as(HEAD, "The head; of keys and values that heads share, which of these. None means all heads."),
      ({ head, kv_head }) => head ?? kv_head ?? null,
    ],
  ];
}
