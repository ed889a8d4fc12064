"""Writes src/text/unicode/tables.ts: which characters the parts of Hugging Face's library (tokenizers 0.23.2) put into
which class. The parts disagree (Oniguruma, Rust's standard library, the regex crate and three crates with older Unicode
data), and JavaScript engines differ by version, so the library itself is asked, character by character.

    python scripts/hugging-face/unicode_tables.py      # needs tokenizers 0.23.2, and node for the normal forms; a minute or two
"""
import json
import subprocess
from pathlib import Path

import tokenizers
from tokenizers import Regex, normalizers, pre_tokenizers

CODES = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
TEXT = "".join(map(chr, CODES))
CATEGORIES = "Cn Cc Cf Co Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp".split()


def kept(pre_tokenizer):
    return {ord(c) for piece, _ in pre_tokenizer.pre_tokenize_str(TEXT) for c in piece}


def onig(regex):
    return kept(pre_tokenizers.Split(Regex(regex), "removed", invert=True))


def bert(**options):
    chosen = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False) | options
    return normalizers.BertNormalizer(**chosen)


def vanish(normalizer):
    return {c for c in CODES if normalizer.normalize_str(f"a{chr(c)}b") == "ab"}


def numeric():
    pieces = pre_tokenizers.Digits(individual_digits=True).pre_tokenize_str("".join(f"a{chr(c)}" for c in CODES))
    return {ord(piece) for piece, _ in pieces if len(piece) == 1 and piece != "a"}


def rust_word():
    split = pre_tokenizers.Whitespace().pre_tokenize_str
    return {c for c in CODES if (r := split(f"a{chr(c)}")) and r[0][1][1] == 2}


def inert(marks):
    """Characters that the crate's normal forms leave alone and newer Unicode data does not."""
    pairs = ["\u0301{}", "{}\u0316", "\u0334{}", "{}\u0334", "\u0345{}", "{}\u0345"]
    words = [chr(c) for c in CODES] + ["a" + p.format(chr(m)) for m in marks for p in pairs]
    forms = ["NFC", "NFD", "NFKC", "NFKD"]
    ours = {f: [getattr(normalizers, f)().normalize_str(w) for w in words] for f in forms}
    program = (
        "const t=JSON.parse(require('fs').readFileSync(0,'utf8'));"
        f"process.stdout.write(JSON.stringify(Object.fromEntries({json.dumps(forms)}.map(f=>[f,t.map(w=>w.normalize(f))]))))"
    )
    theirs = json.loads(subprocess.run(["node", "-e", program], input=json.dumps(words), capture_output=True, text=True, check=True).stdout)
    out = set()
    for form in forms:
        for i, word in enumerate(words):
            if ours[form][i] == theirs[form][i]:
                continue
            if i < len(CODES):
                out |= {CODES[i], ord(theirs["NFD"][i][0])}
            else:
                out.add(marks[(i - len(CODES)) // len(pairs)])
    return out


def ranges(codes):
    out = []
    for c in sorted(codes):
        if out and c == out[-1][1]:
            out[-1][1] = c + 1
        else:
            out.append([c, c + 1])
    return out


def base36(n):
    digits = ""
    while True:
        n, r = divmod(n, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[r] + digits
        if n == 0:
            return digits


def encoded(codes):
    """Gaps and lengths in turn, in base 36."""
    at, out = 0, []
    for start, end in ranges(codes):
        out += [base36(start - at), base36(end - start)]
        at = end
    return " ".join(out)


def main():
    assert tokenizers.__version__ == "0.23.2", tokenizers.__version__
    by_category = {c: onig(r"\p{%s}+" % c) for c in CATEGORIES[1:]}
    of = {code: i for i, c in enumerate(CATEGORIES) if i for code in by_category[c]}
    runs, previous, length = [], None, 0
    for code in range(0x110000):
        category = of.get(code, 0)
        if category != previous and length:
            runs.append((previous, length))
            length = 0
        previous, length = category, length + 1
    runs.append((previous, length))
    categories = "".join(chr(ord("A") + c if c < 26 else ord("a") + c - 26) + ("" if n == 1 else str(n)) for c, n in runs)

    group = lambda *names: set().union(*(by_category[c] for n in names for c in CATEGORIES[1:] if c.startswith(n)))
    marks = sorted(group("M"))
    sets = {
        "whiteSpace": kept(pre_tokenizers.Split(Regex("x"), "isolated")) - kept(pre_tokenizers.WhitespaceSplit()),
        "onigWord": onig(r"\w+"),
        "onigWordBracket": onig("[[:word:]]+"),
        "alphabetic": onig("[[:alpha:]]+"),
        "uppercase": onig("[[:upper:]]+"),
        "lowercase": onig("[[:lower:]]+"),
        "rustWord": rust_word(),
        "rustNumeric": numeric(),
        "punctuation": set(CODES) - kept(pre_tokenizers.Punctuation("removed")),
        "bertControl": vanish(bert(clean_text=True)),
        "bertChinese": {c for c in CODES if bert(handle_chinese_chars=True).normalize_str(chr(c)) == f" {chr(c)} "},
        "bertAccent": vanish(bert(strip_accents=True)),
        "combiningMark": vanish(normalizers.StripAccents()),
        "inertInNormalForms": inert(marks),
    }
    base = {
        "onigWord": group("L", "M", "Nd", "Pc"),
        "onigWordBracket": group("L", "M", "Nd", "Pc"),
        "rustWord": group("L", "M", "Nd", "Pc"),
        "alphabetic": group("L", "Nl"),
        "uppercase": group("Lu"),
        "lowercase": group("Ll"),
        "rustNumeric": group("N"),
    }
    lines = [
        "/**",
        " * Made by scripts/hugging-face/unicode_tables.py, which asks Hugging Face's library (tokenizers 0.23.2) about every",
        " * character; not written by hand. `classes.ts` says what each table is.",
        " */",
        "",
        "/** The general category of each code point from 0 up: a letter for the category, then how many follow one another. */",
        f'export const CATEGORY_NAMES = "{" ".join(CATEGORIES)}";',
        "// biome-ignore format: one long string",
        f"export const CATEGORIES = {json.dumps(categories)};",
        "",
        "/** Sets of code points: gaps and lengths in turn, in base 36. Some come on top of categories: see `classes.ts`. */",
        "// biome-ignore format: long strings",
        "export const SETS = {",
    ]
    for name, codes in sets.items():
        assert not (base.get(name, set()) - codes), name
        lines.append(f"  {name}: {json.dumps(encoded(codes - base.get(name, set())))},")
    lines.append("} as const;")
    path = Path(__file__).parents[2] / "src/text/unicode/tables.ts"
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
