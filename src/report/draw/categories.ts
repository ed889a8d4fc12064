/** Names along an axis: straight if they fit, else in several lines, else turned, never over each other. */
import { cutText, visibleToken } from "../token-text.ts";
import { labelX, labelY, textsAtX, textsAtY } from "./axis-marks.ts";
import { wrap } from "./drawing.ts";
import { largest } from "./limits.ts";
import type { Mark } from "./marks.ts";
import { textSize } from "./text-size.ts";
import { every, indices } from "./ticks.ts";

const SIZE = 11;
const LINE = 13;
const LONGEST = 24;
const MOST_LINES = 3;
/** Slanted names closer than this are turned upright, and upright ones are left out. */
const SLANTED_PITCH = 17;
const UPRIGHT_PITCH = 12.5;

/** How names are written below columns of one width. */
export interface CategoryTicks {
  readonly texts: readonly string[];
  /** In degrees. */
  readonly turn: 0 | -45 | -90;
  /** The room below the axis that they take. */
  readonly height: number;
  /** How far the first name extends to the left of its column's middle. */
  readonly reach: number;
  /** The indices whose names are written. */
  readonly shown: readonly number[];
}

/** @param pitch the width of a column in pixels */
export function categoryTicks(ticks: readonly string[], pitch: number): CategoryTicks {
  const texts = ticks.map((tick) => cutText(visibleToken(tick), LONGEST));
  const sizes = texts.map((text) => textSize(text, SIZE));
  const widest = largest(sizes, 0);
  const all = indices(texts.length);
  const straight = { turn: 0, reach: (sizes[0] ?? 0) / 2, shown: all } as const;
  if (widest + 8 <= pitch) return { ...straight, texts, height: LINE };
  if (texts.every((text) => /^\d+$/.test(text)))
    return { ...straight, texts, height: LINE, shown: every(texts.length, (widest + 8) / pitch) };
  const wrapped = texts.map((text) => wrap(text, pitch - 8, 0.62 * SIZE));
  const fits = wrapped.every(
    (lines) => lines.length <= MOST_LINES && lines.every((line) => textSize(line, SIZE) + 6 <= pitch),
  );
  if (fits) {
    const most = largest(
      wrapped.map((lines) => lines.length),
      1,
    );
    return { ...straight, texts: wrapped.map((lines) => lines.join("\n")), height: most * LINE };
  }
  if (pitch >= SLANTED_PITCH) {
    const [slant, reach] = [widest * Math.SQRT1_2 + LINE, (sizes[0] ?? 0) * Math.SQRT1_2];
    return { texts, turn: -45, height: slant, reach, shown: all };
  }
  return { texts, turn: -90, height: widest + 8, reach: 6, shown: every(texts.length, UPRIGHT_PITCH / pitch) };
}

/** These names below the frame, and the axis' label below them. */
export function categoryAxisX({ texts, shown, turn }: CategoryTicks, label: string): Mark[] {
  const names = shown.map((at) => ({ at, lines: (texts[at] ?? "").split("\n") }));
  return [textsAtX(names, SIZE, {}, { turn, line: LINE }), labelX(label, SIZE, 4)];
}

/** The names left of rows that are `pitch` pixels high: cut, not wrapped. */
export function rowNames(ticks: readonly string[], pitch: number, room: number) {
  const texts = ticks.map((tick) => cutText(visibleToken(tick), Math.max(4, Math.floor(room / (0.6 * SIZE)))));
  const width = largest(
    texts.map((text) => textSize(text, SIZE)),
    0,
  );
  return { texts, width, shown: every(texts.length, UPRIGHT_PITCH / pitch) };
}

/** These names at the left of the frame, and the axis' label above them. */
export function categoryAxisY({ texts, shown }: ReturnType<typeof rowNames>, label: string): Mark[] {
  const names = shown.map((at) => ({ at, text: texts[at] ?? "" }));
  return [textsAtY(names, SIZE), labelY(label, SIZE)];
}
