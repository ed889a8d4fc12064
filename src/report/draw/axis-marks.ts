/** What stands at the axes of a chart: grids, ticks, texts and labels. */
import { round, svgText } from "./drawing.ts";
import { edges, type Look, type Mark, marked, pathOf, strokes } from "./marks.ts";

/** A number that is written at an axis. */
export interface Tick {
  readonly at: number;
  readonly text: string;
}

/** The size of texts at an axis. */
export const SIZE = 12;
/** The length of a tick, and the distance of its text from the frame. */
const TICK = 6;
const AWAY = 9;
/** A label's distance from the picture's edges. */
const EDGE = 3;
/** From where a line of text hangs, and from its middle, to its foot, in its size. */
const HANGING = 0.71;
const MIDDLE = 0.32;
const INK: Look = { stroke: "currentColor", "aria-hidden": "true" };
const PALE: Look = { ...INK, "stroke-opacity": 0.1 };

/** Ticks below the frame. */
export function ticksX(numbers: readonly number[]): Mark {
  return ({ x, frame }) => {
    const { bottom } = edges(frame);
    return marked("x-axis tick", INK, [upright(numbers.map(x), bottom, bottom + TICK)]);
  };
}

/** Ticks at the left of the frame. */
export function ticksY(numbers: readonly number[]): Mark {
  return ({ y, frame }) => marked("y-axis tick", INK, [level(numbers.map(y), frame.x - TICK, frame.x)]);
}

export function gridX(numbers: readonly number[]): Mark {
  return ({ x, frame }) => {
    const { top, bottom } = edges(frame);
    return marked("x-grid", PALE, [upright(numbers.map(x), top, bottom)]);
  };
}

export function gridY(numbers: readonly number[]): Mark {
  return ({ y, frame }) => {
    const { left, right } = edges(frame);
    return marked("y-grid", PALE, [level(numbers.map(y), left, right)]);
  };
}

const upright = (at: readonly number[], from: number, to: number) =>
  strokes(
    at.map((x) =>
      pathOf([
        [x, from],
        [x, to],
      ]),
    ),
  );

const level = (at: readonly number[], from: number, to: number) =>
  strokes(
    at.map((y) =>
      pathOf([
        [from, y],
        [to, y],
      ]),
    ),
  );

/** Texts under the frame, each in the lines it has, or turned. @param line the height of a line */
export function textsAtX(
  texts: readonly { readonly at: number; readonly lines: readonly string[] }[],
  size: number,
  look: Look = {},
  { turn = 0, line = size }: { readonly turn?: 0 | -45 | -90; readonly line?: number } = {},
): Mark {
  return ({ x, frame }) => {
    const { bottom } = edges(frame);
    const turned = { "text-anchor": "end" };
    const elements = texts.flatMap(({ at, lines }) => {
      if (turn === 0) return lines.map((text, i) => svgText(text, x(at), bottom + AWAY + HANGING * line + i * line));
      // The end of the first letter's foot is as far from the frame as straight text is.
      const down = bottom + AWAY + (turn === -45 ? AWAY * (Math.SQRT2 - 1) - 0.9 : 0);
      const place = `transform="translate(${round(x(at))},${round(down)}) rotate(${turn})"`;
      return svgText(lines.join(" "), 0, MIDDLE * line, place);
    });
    return marked("x-axis tick label", { ...look, ...sized(size), ...(turn === 0 ? {} : turned) }, elements);
  };
}

/** Texts at the left of the frame. */
export function textsAtY(texts: readonly Tick[], size: number, look: Look = {}): Mark {
  return ({ y, frame }) => {
    const elements = texts.map(({ at, text }) => svgText(text, frame.x - AWAY, y(at) + MIDDLE * size));
    return marked("y-axis tick label", { ...look, ...sized(size), "text-anchor": "end" }, elements);
  };
}

/** The label below the axis, at its end. @param edge how far its foot is from the picture's */
export function labelX(label: string, size = SIZE, edge = EDGE): Mark {
  return ({ width, height }) => {
    const text = label && svgText(label, width - EDGE, height - edge);
    return marked("x-axis label", { ...sized(size), "text-anchor": "end" }, [text]);
  };
}

/** The label above the axis. */
export function labelY(label: string, size = SIZE): Mark {
  return () => {
    const text = label && svgText(label, EDGE, EDGE + HANGING * size);
    return marked("y-axis label", { ...sized(size), "text-anchor": "start" }, [text]);
  };
}

/** Labels in the middle of both axes. */
export function middleLabels(xLabel: string, yLabel: string): Mark {
  return ({ frame, height }) => {
    const below = xLabel && svgText(xLabel, frame.x + frame.width / 2, height - 4);
    const [x, y] = [6 + HANGING * SIZE, frame.y + frame.height / 2].map(round);
    const beside = yLabel && svgText(yLabel, 0, 0, `transform="translate(${x},${y}) rotate(-90)"`);
    return marked("x-axis label", {}, [below]) + marked("y-axis label", {}, [beside]);
  };
}

const sized = (size: number): Look => (size === SIZE ? {} : { "font-size": size });
