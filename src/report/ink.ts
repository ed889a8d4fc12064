/** Words in a terminal. */

import { inkOn } from "./color.ts";

/** How words are set apart; without colour, not at all. */
export interface Ink {
  readonly bold: (text: string) => string;
  readonly faint: (text: string) => string;
  /** Words on a colour, `#rrggbb`, black or white by the better contrast. */
  readonly on?: (text: string, color: string) => string;
}

export const PLAIN: Ink = { bold: (text) => text, faint: (text) => text };
export const ANSI: Ink = {
  bold: (text) => `\x1b[1m${text}\x1b[22m`,
  faint: (text) => `\x1b[2m${text}\x1b[22m`,
  on: (text, color) => {
    const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
    return `\x1b[48;2;${r};${g};${b}m\x1b[${inkOn(color) === "#ffffff" ? 97 : 30}m${text}\x1b[39;49m`;
  },
};
