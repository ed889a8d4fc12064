/** What every picture of a table has, whatever its kind. */
import type { PictureBase } from "../../finding/picture.ts";
import type { View } from "../../finding/view.ts";

/** A view's name, title, caption, part and size. */
export function baseOf({ name, title, caption, part, width, height }: View): PictureBase {
  const base = { name, title, caption, part, width, height };
  return Object.fromEntries(Object.entries(base).filter(([, value]) => value !== undefined)) as unknown as PictureBase;
}

/** The columns of a hover text: those that are drawn, and those that the view adds. */
export function tipColumns({ tip = [] }: View, drawn: readonly string[]): string[] {
  return [...new Set([...drawn, ...tip])];
}
