import type { Scheme } from "../color.ts";
import type { ScriptName } from "./scripts.ts";
import { TokenColors } from "./token-colors.ts";

/** Something that a page does where a picture needs it: the name of its script, and its part of the style sheet. */
export interface Feature {
  readonly name: Exclude<ScriptName, "page">;
  readonly style: string;
  /** What is added to it on a dark page. */
  readonly dark?: string;
}

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

  constructor({ still = true } = {}) {
    this.still = still;
  }
}
