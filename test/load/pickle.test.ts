import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OTHER, PickleDict, PickleError, type PickleHost, PickleList, readPickle } from "../../src/load/pickle.ts";
import { bytesOf, dict, int, list, type Part, text, tuple } from "./torch-pickle.ts";

/** Knows one name, a.f, which gives the count of its arguments. */
const f = { f: true };
const host: PickleHost = {
  global: (module, name) => {
    if (`${module}.${name}` !== "a.f") throw new PickleError(`no name ${module}.${name}`);
    return f;
  },
  call: (callee, args) => {
    if (callee !== f) throw new PickleError("no function");
    return args.length;
  },
  persistent: (id) => ({ id }),
  hasFields: () => false,
};
const run = (...parts: readonly Part[]) => readPickle(bytesOf(...parts), host, 1e6);
const little = (n: number, bytes: number) => Array.from({ length: bytes }, (_, i) => Math.floor(n / 256 ** i) % 256);

describe("values", () => {
  const cases: [string, Part, unknown][] = [
    ["None", "N", null],
    ["True", 0x88, true],
    ["False", 0x89, false],
    ["True of protocol 1", "I01\n", true],
    ["a byte", ["K", 200], 200],
    ["two bytes", ["M", 1, 2], 513],
    ["four bytes", ["J", 255, 255, 255, 255], -1],
    ["an integer in digits", "I-12\n", -12],
    ["a long in digits", "L12345678901L\n", 12345678901],
    ["a long without bytes", [0x8a, 0], 0],
    ["a negative long of 2 bytes", [0x8a, 2, 0, 0xff], -256],
    ["a long of 7 bytes", [0x8a, 7, 0, 0, 0, 0, 0, 0, 1], 2 ** 48],
    ["a text", text("ключ"), "ключ"],
    ["a text that begins with a byte-order mark", text("\ufeffa"), "\ufeffa"],
    ["a short text of protocol 4", [0x8c, 1, "a"], "a"],
    ["a long text of protocol 4", [0x8d, ...little(1, 8), "a"], "a"],
    ["a tuple", tuple(int(1), int(2)), [1, 2]],
    ["tuples of one, two, three", [int(1), 0x85, int(2), 0x86, int(3), int(4), 0x87], [[[1], 2], 3, 4]],
    ["what the memo holds", ["K", 5, "q", 0, "0", "h", 0], 5],
    ["what the memo holds by protocol 4", ["K", 5, 0x94, "0", "h", 0], 5],
    ["what the memo holds under a large number", ["K", 5, "r", 1, 2, 3, 4, "0", "j", 1, 2, 3, 4], 5],
    ["a call", ["ca\nf\n", tuple(int(1), int(2)), "R"], 2],
    ["a call by protocol 4", [text("a"), text("f"), 0x93, ")", 0x81], 0],
    ["the value under one that is dropped", ["K", 1, "N", "0"], 1],
    ["a frame around a value", [0x95, ...little(1, 8), "N"], null],
  ];
  test.each(cases)("%s", (_, part, value) => {
    expect(run(part, ".")).toEqual(value);
  });

  test.each<[string, Part]>([
    ["a float", ["G", 0, 0, 0, 0, 0, 0, 0, 0]],
    ["a float in digits", "F1.5\n"],
    ["a long of 9 bytes", [0x8a, 9, ...new Array(9).fill(255)]],
    ["a long of 8 bytes beyond 2^53", [0x8a, 8, ...new Array(7).fill(255), 127]],
    ["a long of a hundred digits", `L${"9".repeat(100)}L\n`],
    ["bytes", ["C", 2, "ab"]],
    ["bytes of Python 2", ["U", 2, "a\xff"]],
    ["a bytearray", [0x96, ...little(2, 8), "ab"]],
    ["a set", [0x8f, "(", int(1), 0x90]],
    ["a frozenset", ["(", int(1), 0x91]],
  ])("%s is a value beside the weights", (_, part) => {
    expect(run(part, ".")).toBe(OTHER);
  });

  test("a string of Python 2 is a text if it is ASCII", () => {
    expect(run("U", 2, "ab", ".")).toBe("ab");
    expect(run("T", little(2, 4), "ab", ".")).toBe("ab");
  });

  test("a long of a megabyte is passed over, not computed", () => {
    const bytes = bytesOf([0x8b, ...little(1e6, 4)], new Uint8Array(1e6).fill(255), ".");
    expect(readPickle(bytes, host, 1000)).toBe(OTHER);
  });

  test("lists and dictionaries keep their order", () => {
    const found = run(
      dict([text("b"), list(int(1), int(2))], [int(7), "N"], [tuple(int(1)), int(9)]),
      ".",
    ) as PickleDict;
    expect(PickleDict.is(found)).toBe(true);
    expect([...found.entries.keys()]).toEqual(["b", 7]);
    expect((found.entries.get("b") as PickleList).items).toEqual([1, 2]);
    expect(found.unnamed).toEqual([9]);
  });
});

describe("refusals", () => {
  test.each<[string, Part, RegExp]>([
    ["an empty pickle", [], /ends in the middle/],
    ["a value that is missing", ".", /stack is empty/],
    ["a text longer than the pickle", ["X", 255, 255, 255, 255, "a"], /ends in the middle/],
    ["bytes of a length that Python takes for negative", ["B", 0xfb, 255, 255, 255], /ends in the middle/],
    ["bytes of 2^64 - 1", [0x8e, ...new Array(8).fill(255)], /ends in the middle/],
    ["a number in digits without an end", ["I1"], /never ends/],
    ["a name of a megabyte", ["c", "a".repeat(1e6), "\n"], /never ends/],
    ["a text that is not UTF-8", ["X", 1, 0, 0, 0, 0xff, "."], /not UTF-8/],
    ["a mark that is missing", ["Nt"], /mark is missing/],
    ["values from under a mark", ["N(0", "0."], /./],
    ["a tuple across a mark", ["NN(", 0x86], /stack is empty/],
    ["what was never put into the memo", ["h", 3], /number 3 of its memo/],
    ["appending to a tuple", [")N", "a"], /not a list/],
    ["filling a list", ["]NN", "s"], /not a dictionary/],
    ["a dictionary with a key and no value", ["}(N", "u"], /not a dictionary/],
    ["a key twice", dict([text("W"), "N"], [text("W"), "N"]), /key "W" twice/],
    ["fields set on a list", ["]}", "b"], /sets fields/],
    ["fields set on a name", ["ca\nf\n}", "b"], /sets fields/],
    ["arguments that are not a tuple", ["ca\nf\n]", "R"], /not a tuple/],
    ["a name made of numbers", ["NN", 0x93], /not text/],
    ["a persistent name in digits", ["Px\n"], /instruction 0x50/],
    ["an extension", [0x82, 1], /instruction 0x82/],
    ["a buffer outside the pickle", [0x97], /instruction 0x97/],
    ["an instance of protocol 0", ["(ia\nf\n"], /instruction 0x69/],
    ["an instance whose name is not known", ["(ios\nsystem\n"], /no name os\.system/],
    ["protocol 6", [0x80, 6], /protocol 6/],
  ])("%s", (_, part, message) => {
    expect(() => run(part)).toThrow(PickleError);
    expect(() => run(part)).toThrow(message);
  });

  test("whatever the bytes are, it ends, with a value or a PickleError", () => {
    const opcode = fc.constantFrom(...[..."(.012FGIJKLMNSTUVXQRabcdeghijlpqrstu]})BC"].map((c) => c.charCodeAt(0)));
    const later = fc.integer({ min: 0x80, max: 0x98 });
    const byte = fc.oneof(opcode, opcode, later, fc.nat({ max: 255 }), fc.constant(0));
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 60 }), (bytes) => {
        try {
          readPickle(Uint8Array.from(bytes), host, 1e5);
        } catch (error) {
          expect(error).toBeInstanceOf(PickleError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe("memory", () => {
  test.each<[string, Part]>([
    ["lists", "]"],
    ["dictionaries", "}"],
    ["tuples in tuples", ["N", 0x85]],
    ["marks", "("],
    ["values", "N"],
    ["texts", text("a")],
    ["calls", ["ca\nf\n", ")R"]],
    ["the memo", ["N", 0x94]],
    ["copies of the top", "N2"],
  ])("a flood of %s ends when it has taken what a pickle may", (_, part) => {
    const one = bytesOf(part);
    const flood = new Uint8Array(one.length * 350_000);
    for (let at = 0; at < flood.length; at += one.length) flood.set(one, at);
    expect(() => readPickle(flood, host, 1e6)).toThrow(
      /more objects than a checkpoint of this size|over 300000 values on its stack/,
    );
  });

  test("a value nested a hundred thousand levels deep is read without a stack of calls", () => {
    const deep = new Uint8Array(100_002).fill(0x85);
    deep[0] = 0x4e;
    deep[deep.length - 1] = 0x2e;
    expect(readPickle(deep, host, 1e8)).toHaveLength(1);
  });
});

test("nothing that a pickle builds poses as a list or a dictionary of this reader", () => {
  const posing = run(dict([text("__proto__"), dict()], [text("entries"), "N"]), ".") as PickleDict;
  expect(Object.getPrototypeOf(posing)).toBe(PickleDict.prototype);
  expect(PickleDict.is({ entries: new Map() })).toBe(false);
  expect(PickleDict.is(Object.create(PickleDict.prototype))).toBe(false);
  expect(PickleList.is(Object.create(PickleList.prototype))).toBe(false);
});
