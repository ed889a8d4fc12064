/** Words and colours in a terminal. */
import { inkOn } from "./color.ts";

/** How words are set apart; without colour, not at all. */
export interface Ink {
  readonly bold: (text: string) => string;
  readonly faint: (text: string) => string;
  /** Colours of cells; absent without colours. */
  readonly paint?: Paint;
}

/** Colours are `#rrggbb`. */
export interface Paint {
  /** Words on a colour, black or white by the better contrast. */
  readonly on: (text: string, color: string) => string;
  /** The same, underlined. */
  readonly under: (text: string, color: string) => string;
  /** Two cells on top of each other in one line; `null` for none. */
  readonly halves: (width: number, upper: string | null, lower: string | null) => string;
}

export const PLAIN: Ink = { bold: (text) => text, faint: (text) => text };

const rgb = (color: string) => [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16)).join(";");
const back = (color: string) => `48;2;${rgb(color)}`;
const on = (text: string, color: string) =>
  `\x1b[${back(color)}m\x1b[${inkOn(color) === "#ffffff" ? 97 : 30}m${text}\x1b[39;49m`;

const PAINT: Paint = {
  on,
  under: (text, color) => on(`\x1b[4m${text}\x1b[24m`, color),
  halves: (width, upper, lower) => {
    if (upper === null && lower === null) return " ".repeat(width);
    if (upper === null || lower === null) {
      return `\x1b[38;2;${rgb((upper ?? lower)!)}m${(upper === null ? "▄" : "▀").repeat(width)}\x1b[39m`;
    }
    return `\x1b[38;2;${rgb(upper)};${back(lower)}m${"▀".repeat(width)}\x1b[39;49m`;
  },
};

export const ANSI: Ink = {
  bold: (text) => `\x1b[1m${text}\x1b[22m`,
  faint: (text) => `\x1b[2m${text}\x1b[22m`,
  paint: PAINT,
};
