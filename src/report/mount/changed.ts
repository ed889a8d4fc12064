/** What users have changed of how pictures are drawn first. */
import type { ViewState } from "./state.ts";

type Pictures = Readonly<Record<string, object>>;

/** By the picture's name, only what differs: `{ patterns: { zoom: 2 } }`. */
export type ChangedPictures = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export function changedPictures(first: Pictures, now: Pictures): ChangedPictures {
  const entries = Object.entries(now).map(([name, state]) => {
    const before = (first[name] ?? {}) as Readonly<Record<string, unknown>>;
    return [name, Object.fromEntries(Object.entries(state).filter(([key, value]) => value !== before[key]))] as const;
  });
  return Object.fromEntries(entries.filter(([, changed]) => Object.keys(changed).length > 0));
}

/** The pictures as they are drawn first, with changes, as far as these are of values that are there, and of their kinds. */
export function withChanged(first: Pictures, changed: ChangedPictures): ViewState["pictures"] {
  const entries = Object.entries(first).map(([name, state]) => {
    const known = Object.entries(state).map(([key, before]) => {
      const value = Object.hasOwn(changed[name] ?? {}, key) ? changed[name][key] : before;
      return [key, before === null || value === null || typeof value === typeof before ? value : before];
    });
    return [name, Object.fromEntries(known)];
  });
  return Object.fromEntries(entries);
}
