/** What users have changed of how pictures are drawn first. */
type Pictures = Readonly<Record<string, object>>;
type Values = Readonly<Record<string, unknown>>;

/** By the picture's name, only what differs: `{ patterns: { zoom: 2 } }`. */
export type ChangedPictures = Readonly<Record<string, Values>>;

export function changedPictures(first: Pictures, now: Pictures): ChangedPictures {
  const changed = Object.entries(now).map(([name, state]) => {
    const before = (first[name] ?? {}) as Values;
    return [
      name,
      Object.fromEntries(
        Object.entries(state).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(before[key])),
      ),
    ] as const;
  });
  return Object.fromEntries(changed.filter(([, values]) => Object.keys(values).length > 0));
}

/**
 * What turns pictures that are changed in one way into pictures that are changed in another, as far as both are of values that there are,
 * and of their kinds.
 */
export function turning(first: Pictures, from: ChangedPictures, to: ChangedPictures): ChangedPictures {
  const pictures = Object.entries(first).map(([name, state]) => {
    const before = state as Values;
    const fits = ([key, value]: [string, unknown]) =>
      key in before && (before[key] === null || value === null || typeof value === typeof before[key]);
    const back = Object.keys(from[name] ?? {}).map((key) => [key, before[key]] as const);
    return [name, Object.fromEntries([...back, ...Object.entries(to[name] ?? {}).filter(fits)])] as const;
  });
  return Object.fromEntries(pictures.filter(([, values]) => Object.keys(values).length > 0));
}
