/** What is remembered of how pictures are looked at. */
import { expect, test } from "vitest";
import { changedPictures, turning } from "../../src/report/mount/changed.ts";

const first = { patterns: { head: "L0H1", sortBy: null, zoom: 1 }, neurons: { layer: 0, neuron: 3 } };

test("only what differs from how pictures are drawn first is remembered", () => {
  const now = { patterns: { head: null, sortBy: null, zoom: 2 }, neurons: { layer: 0, neuron: 3 } };
  expect(changedPictures(first, now)).toEqual({ patterns: { head: null, zoom: 2 } });
  expect(changedPictures(first, first)).toEqual({});
});

test("what is not changed any more is again as it was drawn first, and nothing else is touched", () => {
  const [from, to] = [{ patterns: { head: "L1H0", zoom: 2 } }, { patterns: { zoom: 4 } }];
  expect(turning(first, from, to)).toEqual({ patterns: { head: "L0H1", zoom: 4 } });
  expect(turning(first, {}, to)).toEqual(to);
  expect(turning(first, {}, {})).toEqual({});
});

test("pictures, values and kinds that are not there are left aside", () => {
  const odd = { patterns: { zoom: "wide", colour: "red", sortBy: "entropy" }, lens: { zoom: 2 } };
  expect(turning(first, {}, odd)).toEqual({ patterns: { sortBy: "entropy" } });
});
