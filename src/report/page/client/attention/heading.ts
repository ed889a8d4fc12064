/** What stands around the large head: its name, its metrics, and the scale of its colours. */
import type { AttentionMetric } from "../../../../finding/picture.ts";
import { all, the } from "../root.ts";
import type { Colors } from "./colors.ts";
import type { AttentionData, Switches } from "./data.ts";
import { short, type Words } from "./words.ts";

/** What a heading is made of. */
interface Headed {
  readonly element: HTMLElement;
  readonly data: AttentionData;
  readonly switches: Readonly<Switches>;
  readonly colors: Colors;
  readonly words: Words;
  /** What heads are sorted by. */
  readonly sorted: AttentionMetric | null;
}

export function drawHeading(head: number, { element: box, data, switches, colors, words, sorted }: Headed): void {
  the(".view .heading", box).textContent = words.heading(head, sorted ?? data.metrics[0]);
  the(".facts", box).textContent = head < 0 ? "" : words.facts(head);
  const [label, ...ends] = all(".ramp span, .ramp output", box);
  label.textContent = data.label + (switches.values ? " × |value|" : "") + (switches.log ? ", logarithmic" : "");
  const { low, high, more } = colors.ends(head);
  [short(low), `${more ? "≥ " : ""}${short(high)}`].forEach((end, i) => {
    ends[i].textContent = end;
  });
  const stops = Array.from({ length: 11 }, (_, tenth) => colors.stop(head, tenth));
  the(".ramp i", box).style.background = `linear-gradient(90deg,${stops.join(",")})`;
}
