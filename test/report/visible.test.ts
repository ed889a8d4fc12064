import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tokens } from "../../src/report/index.ts";
import { renderJson } from "../../src/report/json.ts";
import { textWidth, visibleToken } from "../../src/report/token-text.ts";
import { markUnseen, visibleControls } from "../../src/tensor/visible.ts";
import { seedFinding } from "./seed-finding.ts";

/** The same by Unicode's properties, written differently from visible.ts: one test per property. */
const unseen = (c: string): boolean =>
  c !== " " &&
  ["Cc", "Cf", "Cs", "Co", "Cn", "Z", "Default_Ignorable_Code_Point", "Bidi_Control"].some((property) =>
    new RegExp(`^\\p{${property}}$`, "u").test(c),
  );
const BLANK = ["\u2800", "\ufffc", "\u{1d159}", "\u{16fe4}", "\u{13441}", "\u{13442}"];
const everyCodePoint = Array.from({ length: 0x110000 }, (_, code) => String.fromCodePoint(code));

describe("a token", () => {
  it("has no invisible or direction-changing character, of all in Unicode", () => {
    const wrong = everyCodePoint.filter((c) => {
      const shown = markUnseen(`a${c}b`);
      return unseen(c) || BLANK.includes(c) ? shown.includes(c) : shown !== `a${c}b`;
    });
    expect(wrong.map((c) => c.codePointAt(0)!.toString(16))).toEqual([]);
  });

  it("has marks that are themselves visible, and does not mark them again", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const shown = markUnseen(text);
        expect([...shown].filter(unseen)).toEqual([]);
        expect(markUnseen(shown)).toBe(shown);
      }),
    );
  });

  it("shows a combining mark that has no letter on a dotted circle, and leaves it on its own letter", () => {
    expect(visibleToken("\u0301")).toBe("◌\u0301");
    expect(visibleToken("e\u0301")).toBe("e\u0301");
    expect(visibleToken(" \u0301a")).toBe("␣◌\u0301a");
    expect(visibleToken("\u200b\u0301\u0302")).toBe("⟨U+200B⟩◌\u0301\u0302");
    expect(visibleToken("\u20dd")).toBe("◌\u20dd");
  });

  it("is shown the same in SVG and HTML", async () => {
    const texts = [...BLANK, "\u00a0", "\u3164", "\ufe0f", "\u{e0041}", "\u202e", "\u0085", "\ue000", "\uffff"];
    const picture = tokens(
      texts,
      texts.map((_, i) => i),
    );
    for (const drawn of [await picture.svg(), await picture.html()]) {
      for (const text of texts) expect(drawn.includes(text), text.codePointAt(0)!.toString(16)).toBe(false);
    }
  });
});

describe("a text", () => {
  it("keeps tabs, newlines, spaces and the joiners of letters and emoji, but nothing misleading", () => {
    const kept = "a\tb\nc\u00a0d\u3000\u200c👩\u200d👩❤\ufe0f";
    expect(visibleControls(kept)).toBe(kept);
    expect(visibleControls("\x1b[2J\r\u202e\u2066\u0085\u2028\u200b\ufeff\u3164\ud800\uffff\u{e0041}")).toBe(
      "␛[2J␍⟨U+202E⟩⟨U+2066⟩⟨U+0085⟩⟨U+2028⟩⟨U+200B⟩⟨U+FEFF⟩⟨U+3164⟩\ufffd⟨U+FFFF⟩⟨U+E0041⟩",
    );
  });

  it("has the width that a terminal gives it", () => {
    expect(textWidth("abc")).toBe(3);
    expect(textWidth("e\u0301")).toBe(1);
    expect(textWidth("日本語")).toBe(6);
    expect(textWidth("𠀀𝒳")).toBe(3);
    expect(textWidth("👍")).toBe(2);
    expect(textWidth("❤\ufe0f\u200d")).toBe(1);
    expect(textWidth("\u1112\u1161\u11ab")).toBe(2);
    expect(textWidth("◌\u0301⟨U+200B⟩")).toBe(9);
  });
});

describe("a finding as JSON", () => {
  it("gives every text back unchanged when parsed, with nothing invisible before", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const finding = { ...seedFinding(), question: `\x7f\u202e\u2028\u{e0041}${text}` };
        const json = renderJson(finding);
        expect(JSON.parse(json).question).toBe(finding.question);
        expect(json).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Noncharacter_Code_Point}]/u);
      }),
    );
  });
});
