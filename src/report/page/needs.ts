import type { Scheme } from "../color.ts";
import { TokenColors } from "./token-colors.ts";

/** An interactive kind of picture: its part of the style sheet, and its script with that script's hash. */
export interface Feature {
  readonly style: string;
  readonly script: string;
  /** SHA-256 for the page's content security policy. A test compares it with the script. */
  readonly hash: string;
}

/** What the pictures of a page need besides their markup, collected while they are written. */
export class PageNeeds {
  /** The colours of tokens and cells. */
  readonly tokens = new TokenColors();
  /** Colour schemes that scripts read from CSS variables. */
  readonly schemes = new Set<Scheme>();
  readonly features = new Set<Feature>();
  /** What the page has said about the use of its pictures: each is said once. */
  readonly hints = new Set<string>();
}
