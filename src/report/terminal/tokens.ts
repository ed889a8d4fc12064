/** Texts in a terminal, each token on its colour. */
import type { TokensSpec } from "../../finding/picture.ts";
import { tokenColorings } from "../draw/token-values.ts";
import { textWidth, visibleToken } from "../token-text.ts";
import { legend, type Room } from "./room.ts";

/** Texts with framed tokens first, as many as there is room for; one that is longer than the room is cut. */
export function tokenLines(spec: TokensSpec, room: Room): string[] {
  const [scale] = tokenColorings(spec);
  const says = legend(scale, spec.marks ? [`in brackets: ${spec.marks}`] : [], room);
  const free = room.lines - says.length;
  if (free < 1) return [];
  const framed = spec.texts.filter(({ marked }) => marked?.length);
  const texts = [...framed, ...spec.texts.filter((text) => !framed.includes(text))].slice(0, free);
  const each = Math.floor(free / Math.max(1, texts.length));
  return [...texts.flatMap((text) => textLines(text, scale.of, { ...room, lines: each })), ...says];
}

function textLines(
  { tokens, values: [values], marked }: TokensSpec["texts"][number],
  colorOf: (value: number) => string,
  { width, lines, paint }: Room,
): string[] {
  const done: string[] = [];
  let [line, left] = ["", width];
  for (const [pos, token] of tokens.entries()) {
    const word = marked?.includes(pos) ? `[${visibleToken(token)}]` : visibleToken(token);
    const wide = textWidth(word);
    // The last line ends in “…” where the text does not.
    const last = done.length === lines - 1;
    if (wide > left - +(last && pos < tokens.length - 1)) {
      if (last) return [...done, `${line}…`];
      done.push(line);
      [line, left] = ["", width];
    }
    const value = values[pos];
    line += value === null ? word : paint.on(word, colorOf(value));
    left -= wide;
  }
  return [...done, line];
}
