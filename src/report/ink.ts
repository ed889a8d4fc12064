/** Words in a terminal. */

/** How words are set apart; without colour, not at all. */
export interface Ink {
  readonly bold: (text: string) => string;
  readonly faint: (text: string) => string;
}

export const PLAIN: Ink = { bold: (text) => text, faint: (text) => text };
export const ANSI: Ink = { bold: (text) => `\x1b[1m${text}\x1b[22m`, faint: (text) => `\x1b[2m${text}\x1b[22m` };
