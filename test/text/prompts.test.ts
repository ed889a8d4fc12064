import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../../src/tensor/errors.ts";
import { jsonErrorOffset } from "../../src/text/json-position.ts";
import { parsePrompts } from "../../src/text/prompts.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const parse = (text: string, name = "prompts.txt") => parsePrompts(bytes(text), name);

describe("a prompts file", () => {
  it("has one prompt per line, with spaces kept and any line endings", () => {
    expect(parse("I am happy.\n  The sun \r\nlast")).toEqual(["I am happy.", "  The sun ", "last"]);
    expect(parse("one\ntwo\n")).toEqual(["one", "two"]);
    expect(parse("\uFEFFone")).toEqual(["one"]);
  });

  it("is read as lines with an unknown extension, and without one", () => {
    expect(parse("[1]", "prompts.md")).toEqual(["[1]"]);
    expect(parse("a", "-")).toEqual(["a"]);
    expect(parse("[", "folder.json/prompts")).toEqual(["["]);
  });

  it("is an array of strings or of objects with prompt or text, as .json", () => {
    const json = '["a\\nb", {"prompt": "c", "label": 1}, {"text": "d"}]';
    expect(parse(json, "p.JSON")).toEqual(["a\nb", "c", "d"]);
  });

  it("has a string or object on each line, as .jsonl, with blank lines skipped", () => {
    expect(parse('{"text": "a"}\n\n"b"\n', "p.jsonl")).toEqual(["a", "b"]);
    expect(parse('{"text": "a"}\n\n"b"\n', "p.NDJSON")).toEqual(["a", "b"]);
  });

  it.each([
    ["an empty file", "", "p.txt", /p\.txt is empty: put a prompt/],
    ["only white space", " \n\n", "p.json", /p\.json is empty: put a prompt/],
    ["an empty line", "one\n\nthree", "p.txt", /The prompt at line 2 of p\.txt is empty/],
    ["an empty last line", "one\n\n", "p.txt", /line 2 of p\.txt is empty/],
    ["an empty list", "[]", "p.json", /p\.json has no prompts: its array is empty/],
    ["an empty prompt in a list", '["a", ""]', "p.json", /The prompt at entry 2 of p\.json is empty/],
    [
      "an object instead of a list",
      '{"prompts": ["a"]}',
      "p.json",
      /must be an array of prompts.*not an object with the keys prompts/,
    ],
    ["a number in a list", '["a", 3]', "p.json", /The entry 2 of p\.json must be a string.*not a number/],
    [
      "an object without prompt",
      '{"q": "a"}',
      "p.jsonl",
      /The line 1 of p\.jsonl must be .* not an object with the keys q/,
    ],
    ["a missing comma", '[\n  "a",\n  "b" "c"\n]', "p.json", /not valid JSON at line 3, column 7: it has "\\"c\\""/],
    ["a file cut short", '["a", "b"', "p.json", /not valid JSON at line 1, column 10: the text ends there/],
    ["text as JSON Lines", '"a"\nhello\n', "p.jsonl", /not valid JSON at line 2, column 1: it has "hello"/],
  ])("is refused: %s", (_, text, name, message) => {
    expect(() => parse(text, name)).toThrow(InputError);
    expect(() => parse(text, name)).toThrow(message);
  });

  it("is refused if it is not UTF-8, with the offset of the byte", () => {
    const latin1 = Uint8Array.of(...bytes("naïf, "), 0x63, 0x61, 0x66, 0xe9, 0x0a, 0x62);
    expect(() => parsePrompts(latin1, "p.txt")).toThrow(InputError);
    expect(() => parsePrompts(latin1, "p.txt")).toThrow("p.txt is not UTF-8: the byte 0xE9 at offset 10");
    expect(() => parsePrompts(Uint8Array.of(0x61, 0xff, 0x62), "p.txt")).toThrow("the byte 0xFF at offset 1");
    expect(() => parsePrompts(bytes("ab🦙").subarray(0, 4), "p.txt")).toThrow("the byte 0xF0 at offset 2");
    expect(() => parsePrompts(Uint8Array.of(0xff, 0xfe, 0x61, 0), "p.txt")).toThrow("It looks like UTF-16");
  });
});

describe("a prompts file that is something else is recognised:", () => {
  const utf16 = (text: string, littleEndian: boolean, mark: boolean) => {
    const units = [...((mark ? "\uFEFF" : "") + text)].map((letter) => letter.charCodeAt(0));
    return Uint8Array.from(units.flatMap((u) => (littleEndian ? [u & 255, u >> 8] : [u >> 8, u & 255])));
  };
  const sentence = "The cat sat on the mat, and 12 dogs.\n";
  it.each([
    ["UTF-16", utf16(sentence, true, true), /not UTF-8\. It looks like UTF-16/],
    ["UTF-16, the other way round", utf16(sentence, false, true), /It looks like UTF-16/],
    ["UTF-16 without a mark", utf16(sentence, true, false), /It looks like UTF-16/],
    ["UTF-16 without a mark, the other way round", utf16(sentence, false, false), /It looks like UTF-16/],
    ["UTF-32", Uint8Array.from([...sentence].flatMap((c) => [c.charCodeAt(0), 0, 0, 0])), /UTF-32/],
    ["UTF-32 with a mark", Uint8Array.of(0xff, 0xfe, 0, 0, 0x61, 0, 0, 0), /UTF-32/],
    ["gzip", Uint8Array.of(0x1f, 0x8b, 8, 0, 0), /packed with gzip: unpack it first \(gzip -d\)/],
    ["zstd", Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0), /packed with zstd/],
    ["Parquet", Uint8Array.of(...bytes("PAR1"), 0x15, 4), /a Parquet file: give it a name that ends in \.parquet/],
    ["PDF", bytes("%PDF-1.4\n"), /a PDF: save its text/],
    ["zip", Uint8Array.of(...bytes("PK"), 3, 4), /a zip archive/],
    ["nothing known", Uint8Array.of(1, 2, 0, 3), /binary, not text/],
  ])("%s", (_, content, told) => {
    expect(() => parsePrompts(content, "p.txt")).toThrow(InputError);
    expect(() => parsePrompts(content, "p.txt")).toThrow(told);
  });

  it.each(["p.csv", "p.TSV", "p.parquet"])("%s", (name) => {
    expect(() => parse("a,b", name)).toThrow(/is a table: save its prompts one per line/);
  });

  it("but text that begins with the same letters is text", () => {
    for (const text of ["PAR1 is a word.", "BZh, said he.", "ARROW1"]) expect(parse(text)).toEqual([text]);
  });
});

describe("the position where JSON goes wrong", () => {
  it("is the end of the text if nothing is wrong", () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(jsonErrorOffset(json)).toBe(json.length);
      }),
    );
  });

  it("is found in every garbled text: what precedes it can be completed, what follows is refused", () => {
    const marks = fc.constantFrom("[", "]", "{", "}", ",", ":", '"a"', "1", "null", "x", " ");
    fc.assert(
      fc.property(fc.array(marks, { maxLength: 8 }), (parts) => {
        const text = parts.join(" ");
        const valid = (() => {
          try {
            JSON.parse(text);
            return true;
          } catch {
            return false;
          }
        })();
        const offset = jsonErrorOffset(text);
        if (valid) expect(offset).toBe(text.length);
        else if (offset < text.length) {
          // Cutting there makes the text end too early, or whole: the token at the offset was what was wrong.
          expect(jsonErrorOffset(text.slice(0, offset))).toBe(offset);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
