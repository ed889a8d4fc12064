/** An axis with numbers: which of them are written, and how. */
import type { Axis } from "../../finding/picture.ts";
import { withUnit } from "../color.ts";
import { formatNumber } from "../format.ts";
import type { Tick } from "./axis-marks.ts";
import type { ChartAxis } from "./chart.ts";
import { type Domain, roundNumbers } from "./scales.ts";

/** How an axis with numbers is drawn: with its label and unit, and a grid. */
export function numberAxis(axis: Axis | undefined, domain: Domain): Required<ChartAxis> {
  const size = Math.max(Math.abs(domain[0]), Math.abs(domain[1]));
  const scale = axis?.scale ?? "linear";
  return {
    domain,
    scale,
    drawn: {
      label: withUnit(axis?.label, axis?.unit),
      grid: true,
      ...(scale === "linear" ? {} : { ticks: scale === "log" ? logTicks(domain) : symlogTicks(domain) }),
      // With decimals, very small and very large numbers would be too long.
      ...(size < 1e-2 || size >= 1e6 ? { format: (value) => formatNumber(value) } : {}),
    },
  };
}

/** The powers of ten, with their multiples by 2 and 5 or by all digits where there are few; over less than that, round numbers. */
function logTicks([low, high]: Domain): Tick[] {
  const from = Math.floor(Math.log10(low));
  const powers = Array.from({ length: Math.ceil(Math.log10(high)) - from + 1 }, (_, i) => from + i);
  for (const heads of [[1], [1, 2, 5], [1, 2, 3, 4, 5, 6, 7, 8, 9]]) {
    const ticks = powers.flatMap((p) => heads.map((m) => Number(`${m}e${p}`))).filter((v) => v >= low && v <= high);
    if (ticks.length >= 4) return texts(ticks);
  }
  return texts(roundNumbers([low, high], 5).numbers);
}

/** 0 and the powers of ten on both sides of it, in equal steps; round numbers of a domain that has no power of ten. */
function symlogTicks([low, high]: Domain): Tick[] {
  const most = Math.floor(Math.log10(Math.max(-low, high)));
  if (most < 1) return texts(roundNumbers([low, high], MOST_POWERS).numbers);
  const step = Math.ceil((most + 1) / (MOST_POWERS / 2));
  const powers = Array.from({ length: Math.floor(most / step) + 1 }, (_, i) => Number(`1e${most - i * step}`));
  const all = [...powers.map((power) => -power), 0, ...powers.reverse()];
  return texts(all.filter((v) => v >= low && v <= high));
}

const MOST_POWERS = 8;

const texts = (numbers: readonly number[]) => numbers.map((at) => ({ at, text: formatNumber(at) }));
