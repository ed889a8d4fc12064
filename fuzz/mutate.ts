/** Changes to real files: a few bytes, or a few values of their JSON. */
import type { Random } from "./random.ts";

const NUMBERS = [0, 1, 2, 7, 8, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff];

/** Bytes with one to four changes: a bit, a byte, a number, a stretch left out, doubled, moved, or cut off. */
export function mutateBytes(random: Random, original: Uint8Array): Uint8Array {
  let bytes: Uint8Array = original.slice();
  for (let n = random.between(1, 4); n > 0 && bytes.length > 0; n--) bytes = mutateOnce(random, bytes);
  return bytes;
}

function mutateOnce(random: Random, bytes: Uint8Array): Uint8Array {
  const at = random.below(bytes.length);
  const end = Math.min(bytes.length, at + random.between(1, random.pick([1, 4, 64, 4096])));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (random.below(9)) {
    case 0:
      bytes[at] ^= 1 << random.below(8);
      return bytes;
    case 1:
      bytes[at] = random.below(256);
      return bytes;
    case 2:
      if (at + 4 <= bytes.length) view.setUint32(at, random.pick(NUMBERS), random.chance(0.8));
      return bytes;
    case 3:
      if (at + 8 <= bytes.length) {
        view.setBigUint64(at, BigInt(random.pick(NUMBERS)) << BigInt(random.pick([0, 0, 16, 31, 32])), true);
      }
      return bytes;
    case 4:
      return joined(bytes.subarray(0, at), bytes.subarray(end));
    case 5:
      return joined(bytes.subarray(0, end), bytes.subarray(at, end), bytes.subarray(end));
    case 6:
      return joined(bytes.subarray(0, at), random.bytes(random.between(1, 16)), bytes.subarray(at));
    case 7: {
      const to = random.below(bytes.length);
      bytes.copyWithin(to, at, end);
      return bytes;
    }
    default:
      return random.chance(0.3) ? bytes.slice(0, at) : bytes;
  }
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const TEXTS = [
  "",
  " ",
  "false",
  "1",
  "NaN",
  "constructor",
  "__proto__",
  "\u0000",
  "\u001b[2J\u001b]0;x\u0007",
  "a\r\nb",
  "\u202eabc",
  "\ud800",
  "é🙂",
  "<script>alert(1)</script>",
  "x".repeat(5000),
  "../../etc/passwd",
];
const WHOLES = [0, 1, -1, 2, 3, 5, 12, 255, 256, 4096, 50257, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53, 1e9, 1e308];

/** A value that a field does not expect. */
export function oddValue(random: Random): unknown {
  switch (random.below(10)) {
    case 0:
      return null;
    case 1:
      return random.chance(0.5);
    case 2:
    case 3:
      return random.pick(WHOLES);
    case 4:
      return random.pick([0.5, -0.5, 1e-30, -1e308, 1.5, 0.1]);
    case 5:
      return random.pick(TEXTS);
    case 6:
      return [];
    case 7:
      return random.pick([
        {},
        { toString: 1, valueOf: 1 },
        { length: 5 },
        JSON.parse('{"__proto__": {"x": 1}}'),
        { type: "x" },
      ]);
    case 8:
      return random.pick([[1, 2, 3], ["a"], [null], [[1]], [0.5], [-1], [Infinity]]);
    default:
      return nested(random.pick([5, 50, 20_000]), random.chance(0.5));
  }
}

/** A list in a list in a list; objects likewise. */
function nested(depth: number, lists: boolean): unknown {
  let value: unknown = lists ? [] : {};
  for (let i = 0; i < depth; i++) value = lists ? [value] : { a: value };
  return value;
}

/** A copy of a JSON value with one to three of its places changed. */
export function mutateJson(random: Random, original: unknown): unknown {
  const root = { value: structuredClone(original) };
  for (let n = random.between(1, 3); n > 0; n--) mutatePlace(random, root);
  return root.value;
}

function mutatePlace(random: Random, root: { value: unknown }): void {
  // Down from the root, at random at each step, so that places near the root count as much as the thousands in a vocabulary.
  let holder: Record<string, unknown> = root as Record<string, unknown>;
  let key = "value";
  for (let depth = 0; depth < 8; depth++) {
    const value = holder[key];
    if (typeof value !== "object" || value === null || (depth > 0 && random.chance(0.25))) break;
    const keys = Object.keys(value);
    if (keys.length === 0) break;
    holder = value as Record<string, unknown>;
    key = random.pick(keys);
  }
  const list = Array.isArray(holder) ? holder : undefined;
  switch (random.below(7)) {
    case 0:
      if (list) list.splice(Number(key), 1);
      else if (holder !== (root as unknown)) delete holder[key];
      return;
    case 1: {
      if (list || holder === (root as unknown)) break;
      const value = holder[key];
      delete holder[key];
      holder[random.pick([`${key}s`, key.toUpperCase(), key.slice(1), `_${key}`, "constructor", "n_layers"])] = value;
      return;
    }
    case 2:
      if (list) list.push(list[Number(key)]);
      else holder[`${key}_2`] = holder[key];
      return;
    case 3:
      if (typeof holder[key] === "number") {
        holder[key] = (holder[key] as number) + random.pick([1, -1, 0.5, 2 ** 32, -(2 ** 32)]);
        return;
      }
      break;
    case 4:
      if (typeof holder[key] === "string") {
        holder[key] = random.pick([
          `${holder[key]}x`,
          (holder[key] as string).slice(0, -1),
          [...(holder[key] as string)],
        ]);
        return;
      }
      break;
    default:
  }
  holder[key] = oddValue(random);
}

/** Like `JSON.stringify`, which fails on values as deep as some of `oddValue`'s. */
export function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "null";
  } catch {
    return jsonOfDeep(value);
  }
}

/** Very deep values are chains: one child per level, written without recursion until the chain ends or widens. */
function jsonOfDeep(value: unknown): string {
  const open: string[] = [];
  const close: string[] = [];
  let at = value;
  while (typeof at === "object" && at !== null && Object.keys(at).length === 1) {
    const key = Object.keys(at)[0];
    open.push(Array.isArray(at) ? "[" : `{${JSON.stringify(key)}:`);
    close.push(Array.isArray(at) ? "]" : "}");
    at = (at as Record<string, unknown>)[key];
  }
  const inside = Array.isArray(at)
    ? `[${at.map(jsonOf).join()}]`
    : typeof at === "object" && at !== null
      ? `{${Object.entries(at)
          .map(([key, x]) => `${JSON.stringify(key)}:${jsonOf(x)}`)
          .join()}}`
      : (JSON.stringify(at) ?? "null");
  return open.join("") + inside + close.reverse().join("");
}
