/** Everything that a page may do, by the name of its script: each is `client/NAME.ts`, which exports it as NAME. */
import { activations } from "./activations.ts";
import { attention } from "./attention.ts";
import { charts } from "./charts.ts";
import { files } from "./files.ts";
import { graph } from "./graph.ts";
import { linked } from "./linked.ts";
import { page } from "./page.ts";
import { pixels } from "./pixels.ts";
import type { Behaviour } from "./root.ts";

export const BEHAVIOURS = { page, linked, charts, graph, attention, activations, pixels, files } satisfies Record<
  string,
  Behaviour
>;
