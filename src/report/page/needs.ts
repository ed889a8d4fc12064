import type { Scheme } from "../color.ts";
import type { StoredAttention } from "./client/attention/data.ts";
import type { ScriptName } from "./scripts.ts";
import { TokenColors } from "./token-colors.ts";

/** Something that a page does where a picture needs it: the name of its script, and its part of the style sheet. */
export interface Feature {
  readonly name: Exclude<ScriptName, "page">;
  readonly style: string;
  /** What is added to it on a dark page. */
  readonly dark?: string;
}

/** The attribute of the place of something folded: its number. */
export const FOLDED = "data-folded";

/** What the pictures of a page need besides their markup, collected while they are written. */
export class PageNeeds {
  /** Whether it may be printed, or opened without its scripts: then what the scripts draw is there as a drawing, too. */
  readonly still: boolean;
  /** The colours of tokens and cells. */
  readonly tokens = new TokenColors();
  /** Colour schemes that scripts read from CSS variables. */
  readonly schemes = new Set<Scheme>();
  readonly features = new Set<Feature>();
  /** What the page has said about the use of its pictures: each is said once. */
  readonly hints = new Set<string>();
  /** What makes the markup of what is folded, by its number. */
  readonly folded: (() => string)[] = [];
  /** What pictures of attention have in weights, by their numbers, where a script can be given it. */
  readonly attention: StoredAttention[] = [];
  /** Is awaited between pictures and tables: a page does then what waits. */
  readonly turn: () => Promise<void>;

  constructor({ still = true, turn = async () => {} }: Partial<Pick<PageNeeds, "still" | "turn">> = {}) {
    this.still = still;
    this.turn = turn;
  }

  /** Markup that is folded at first. Where a script can make it, only its place is there until it is unfolded. */
  later(html: () => string): string {
    if (this.still) return html();
    return `<div ${FOLDED}="${this.folded.push(html) - 1}"></div>`;
  }
}
