/** Thins a line of very many points without changing how it looks. */

/** How many columns per pixel points are sorted into. */
const PER_PIXEL = 2;

/**
 * The points of a line, by index, that decide how it looks: of neighbours that fall into the same half pixel, the first,
 * the last, and those where one of `rows` is lowest or highest. Gaps stay.
 * @param at the position of a point, in pixels
 */
export function thinned(count: number, at: (i: number) => number, rows: readonly ((i: number) => number)[]): number[] {
  const kept: number[] = [];
  for (let from = 0; from < count; ) {
    const column = Math.floor(PER_PIXEL * at(from));
    const gap = Number.isNaN(rows[0](from));
    let to = from + 1;
    while (to < count && Math.floor(PER_PIXEL * at(to)) === column && Number.isNaN(rows[0](to)) === gap) to++;
    const chosen = new Set([from, to - 1]);
    for (const row of gap ? [] : rows) {
      let [low, high] = [from, from];
      for (let i = from + 1; i < to; i++) {
        if (row(i) < row(low)) low = i;
        if (row(i) > row(high)) high = i;
      }
      chosen.add(low).add(high);
    }
    kept.push(...[...chosen].sort((a, b) => a - b));
    from = to;
  }
  return kept;
}
