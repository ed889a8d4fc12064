/** What every page does. Without it everything is still readable: hover texts are plain titles, tables keep their order. */
import { arrows } from "./arrows.ts";
import { contents } from "./contents.ts";
import type { Behaviour } from "./root.ts";
import { scrolling } from "./scrolling.ts";
import { sorting } from "./sorting.ts";
import { tips } from "./tips.ts";

export const page: Behaviour = (root, life) => {
  for (const behaviour of [tips, arrows, scrolling, contents, sorting]) behaviour(root, life);
};
