/** What is remembered of how pictures are looked at. */
import { expect, test } from "vitest";
import { changedPictures, withChanged } from "../../src/report/mount/changed.ts";

const first = { patterns: { head: "L0H1", sortBy: null, zoom: 1 }, neurons: { layer: 0, neuron: 3 } };

test("only what differs from how pictures are drawn first is remembered, and shown again", () => {
  const now = { patterns: { head: null, sortBy: null, zoom: 2 }, neurons: { layer: 0, neuron: 3 } };
  const changed = changedPictures(first, now);
  expect(changed).toEqual({ patterns: { head: null, zoom: 2 } });
  expect(withChanged(first as never, changed)).toEqual(now);
  expect(changedPictures(first, first)).toEqual({});
});

test("pictures, values and kinds that are not there are left aside", () => {
  const odd = { patterns: { zoom: "wide", colour: "red", sortBy: "entropy" }, lens: { zoom: 2 } };
  const shown = withChanged(first as never, odd);
  expect(shown).toEqual({ ...first, patterns: { ...first.patterns, sortBy: "entropy" } });
});
