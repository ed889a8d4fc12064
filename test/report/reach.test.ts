/** Numbers at the limits of floats, and domains and sizes that no picture can have. */
import { describe, expect, test } from "vitest";
import { hist, imshow, line, type Picture, scatter, tokens } from "../../src/node.ts";
import { ArgumentError } from "../../src/tensor/errors.ts";

const most = Number.MAX_VALUE;
const least = Number.MIN_VALUE;
const edges: readonly (readonly number[])[] = [
  [-most, most],
  [0, most],
  [1e308, 1e307],
  [0, 1e-310],
  [-least, least],
  [least, 1e300],
  [1e16, 1e16 + 2],
  [1, 1 + Number.EPSILON],
  [-0, 0],
];
const charts: readonly (readonly [string, (values: number[]) => Picture])[] = [
  ["imshow", (values) => imshow([values, values])],
  ["tokens", (values) => tokens(["a", "b"], values)],
  ["line", (values) => line(values)],
  ["line on a log scale", (values) => line(values, { y: { scale: "log" } })],
  ["scatter", (values) => scatter(values, values)],
  ["scatter on log scales", (values) => scatter(values, values, { x: { scale: "log" }, y: { scale: "log" } })],
  ["hist", (values) => hist(values)],
];

describe.each(charts)("%s", (_, chart) => {
  test.each([...edges, [Number.NaN, Number.NaN], [0, 0], [-1, -2]])("draws %d and %d", async (...values) => {
    const svg = await chart([...values]).svg();
    expect(svg).not.toMatch(/="[^"]*(NaN|Infinity|undefined)/);
  });
});

test("a line keeps the numbers within range next to those that are not", async () => {
  const svg = await line([1, most, 2, 3, least]).svg();
  expect(svg).toBe(await line([1, Number.NaN, 2, 3, 0]).svg());
});

test.each([
  ["a domain from the larger end", () => scatter([1], [1], { x: { domain: [5, 1] } })],
  ["a histogram's domain from the larger end", () => hist([1], { x: { domain: [5, 1] } })],
  ["colours from the larger end", () => imshow([[1]], { color: { domain: [5, 1] } })],
  ["a domain that ends out of reach", () => line([1], { y: { domain: [0, 1e-310] } })],
  ["a domain as wide as floats", () => line([1], { y: { domain: [-most, most] } })],
  ["a log scale from 0", () => line([1], { y: { scale: "log", domain: [0, 5] } })],
  ["a width of 10 million", () => line([1], { width: 1e7 })],
  ["a height of 10 million", () => imshow([[1]], { height: 1e7 })],
])("%s is refused", (_, make) => {
  expect(make).toThrow(ArgumentError);
});
