"""Writes test/text/hugging-face/*.json: tokenizers of all kinds, with what Hugging Face's library makes of awkward texts.

    python scripts/hugging-face/tokenizer_fixtures.py [seed]      # needs tokenizers 0.23.2

- components.json: every component of the library with every option, and whether it reads files that are wrong;
- random.json: pipelines put together at random.

Where only normalizers and pre-tokenizers are of interest, the model is BPE without merges, whose vocabulary has each
character twice, within a word and at its end: the ids then show every character and every cut.
"""
import base64
import json
import random
import struct
import sys
from pathlib import Path

import tokenizers
from tokenizers import Tokenizer

FOLDER = Path(__file__).parents[2] / "test/text/hugging-face"

TEXTS = [
    "Hello, world!",
    " leading and trailing ",
    "  two  spaces\n\nand lines\r\n\ttab",
    "lone\rCR and\x0bVT\x0cFF",
    "don't can't we'll I'M he'd they've 'tis ''",
    "the-final--cut, a_b c.d e/f",
    "1234567 3.14 ½ ² Ⅷ ٣٤٥ १२ 四 🯰",
    "café naïve Ångström e\u0301 a\u0308\u0323 \u1e9b\u0323",
    "ΣΑΣ ὈΔΥΣΣΕΎΣ ς",
    "İstanbul ıI ß ẞ ﬁ ﬄ Ǆ ǅ",
    "日本語のテキスト、中文。한국어 가",
    "ภาษาไทย ກຂ မြန်မာ हिन्दी தமிழ்",
    "العربية \u0610نص\u0651 עברית ",
    "🙂🙂 👩‍👩‍👧 🇩🇪 👍🏽 ❤️ a🙂b",
    "\ufeffbom \ufeff in\ufeffside",
    "nel\u0085nbsp\u00a0nn\u202fls\u2028ps\u2029 zwsp\u200bzwj\u200d\u2060wj",
    "nul\x00 bell\x07 del\x7f c1\x9f \xad soft",
    "private\ue000 \U000f0000 unassigned\u0378\U000e0fff non\ufffe \ufffd",
    "<s> </s> [UNK] [MASK] <0x41> ▁x ##y a▁b▁▁",
    "$1 $& \\n ^.*? {x} [y] (z) | + `~<=>^",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbb",
    "x" * 120,
    " " * 40 + "a",
    "\n\n\n   \n a",
    "ﷺ ㍿ ① Å ℌ ｶﾞ ﾊﾟ ㋿ ꟲ",
    "\u0301start \u093cmark \u1e08f \U0001e2ec 𝐀𝔘 𑀓𑀺",
    "ʼn ǰ ŉ ſs ﬆ K k ſt'S 'ſ",
    "–—‘’“”„…«»‐ ¡¿§¶·",
    "́",
    "a",
    " ",
    "",
]

# The library reads these, and then loses track of where the text comes from: refused.
REFUSED = {
    "Replace of nothing": ("normalizer", {"type": "Replace", "pattern": {"String": ""}, "content": "x"}),
    "Replace of what may be nothing": ("normalizer", {"type": "Replace", "pattern": {"Regex": "a*"}, "content": "x"}),
    "Replace at the start": ("normalizer", {"type": "Replace", "pattern": {"Regex": "^"}, "content": "x"}),
    "Prepend of nothing": ("normalizer", {"type": "Prepend", "prepend": ""}),
    "UnicodeScripts": ("pre_tokenizer", {"type": "UnicodeScripts"}),
    "dropout": ("model", {"type": "BPE", "vocab": {}, "merges": [], "dropout": 0.1}),
    "two ids that are equal": ("model", {"type": "WordLevel", "vocab": {"a": 0, "b": 0}, "unk_token": "a"}),
    "a field that is not known": ("pre_tokenizer", {"type": "Digits", "individual_digits": True, "grouping": 3}),
    "a template with the text twice": ("post_processor", {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}] * 2, "pair": [], "special_tokens": {}}),
    "two frames": ("post_processor", {"type": "Sequence", "processors": [{"type": "BertProcessing", "sep": ["b", 2], "cls": ["a", 1]}] * 2}),
}

R = lambda pattern: {"Regex": pattern}
S = lambda text: {"String": text}
BEHAVIOURS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
SCHEMES = ["first", "never", "always"]

PATTERNS = [
    r"\s+", r"\w+", r"\d", r"\W", r"\S+", r"\h+", r"[^\s]+?", r"( +)", r"( )+", r"a|b|ab", r"\bw", r"^.", r".$", r"\A.", r".\z", r".\Z",
    r"\B.", r"[[:alpha:]]+", r"[[:alnum:]]+", r"[[:punct:]]", r"[[:upper:]]+", r"[[:lower:]]+", r"[[:space:]]", r"[[:word:]]+", r"[[:digit:]]",
    r"[[:^alpha:]]", r"[[:xdigit:]]+", r"[[:cntrl:]]", r"[[:graph:]]+", r"[[:print:]]+", r"[[:blank:]]+", r"[[:ascii:]]+",
    r"\p{L}+", r"\p{Lu}\p{Ll}*", r"\p{^L}+", r"\P{L}+", r"\p{N}{1,3}", r"\p{N}{2}", r"\p{P}", r"\p{S}+", r"\p{M}", r"\p{Z}", r"\p{C}",
    r"\p{Han}+", r"\p{Hiragana}|\p{Katakana}", r"[\p{Thai}\p{Arabic}]+", r"\p{Letter}", r"\p{Uppercase_Letter}", r"\p{Alpha}+", r"\p{Any}", r"\p{Punct}",
    r"[\p{Word}]+", r"\p{Graph}+", r"\p{Print}+", r"\p{Blank}", r"\p{Upper}", r"\p{Lower}+", r"\p{Space}", r"\p{Alnum}+", r"\p{Cntrl}", r"\p{XDigit}+", r"\p{Digit}", r"\p{ASCII}+", r"\p{Cn}", r"[\W]", r"[^\w]+", r"[\h\s]+",
    r"[a-c]+", r"[^a-z]", r"[a-z&&[^aeiou]]+", r"[\w&&[^\d]]+", r"[\p{L}\p{N}_-]+", r"[^(\s|[.,!?…。，、।۔،])]+", r"[\x{61}-\x{7a}]", r"[\u4e00-\u9fff]+",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)", r"(?i)[a-f]+", r"(?i:k)|x", r"(?i:s)", r"(?m:.)+", r".+", r"(?:a|b)*c?", r"a*", r"(?=a)", r"(?<=a).", r"(?<!a)b", r"(?!\s).", r"(?<=ab|c).",
    r"\s++\S", r"a?+a", r"(?>a+)a", r"a*+b", r"(?>ab|a)b", r"\s+(?!\S)", r"\s*[\r\n]+", r"a{2,4}?", r"a{,2}b", r"x{3,}", r"[ \t]|\n", r"\.|\-|\ ", r"\e|\a|\f|\v", r"(?#note)a", r"(?<name>a)b?",
    # Those of published tokenizers.
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r" ?[^(\s|[.,!?…。，、।۔،])]+", r"[0-9][0-9][0-9]",
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
    "[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[一-龥ࠀ-一가-퟿]+", r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}|\s+(?!\S)|\s+",
    # With bounds, and slow in a matcher without.
    r"(\p{L}+)+\d", r"(a|aa)+x", r"(?:a+b?)+y", r"(?=(?:ab)*x)ab", r"(\w+\s?)+$", r"(?:(?>\s+)x|\s)+a",
]
# What Oniguruma reads and we refuse, or refuses itself.
UNREAD = [r"(a)\1", r"\Ga", r"a\Kb", r"\R", r"\X", r"(?<n>a)\k<n>", r"(?~ab)", r"(?x) a b", r"a{2}+", r"a{2}?", r"(a*)*", r"a**", r"(", r")", r"[", r"a{3,1}", r"*a", r"(?i:ß)", r"(?i:ss)", r"(?i)[^a]", r"\p{Foo}", r"[]a]",
    # Oniguruma repeats nothing without length, and looks ahead nowhere within a look behind.
    r"(?:^|b)?c", r"(?:(?:(?!a)|b)){2}", r"(?<=(?=a))b", r"(?<!(?!a))b", r"(?<=(?<!a))b", r"(?<=\z)a", r"(?<!\Z)a"]


def charsmap(entries):
    """sentencepiece's precompiled map of {from: to}, as a double array in Darts-clone's layout."""
    replacements, at = b"", {}
    for source, target in entries.items():
        at[source] = len(replacements)
        replacements += target.encode() + b"\0"
    root = {}
    for source in entries:
        node = root
        for byte in source.encode():
            node = node.setdefault(byte, {})
        node[None] = at[source]
    units, used = [0], {0}

    def place(index, node, label):
        labels = [0 if key is None else key for key in node]
        # The offset is kept in 21 bits, its lowest ones where they fit.
        offset = 1
        while any((index ^ offset ^ l) in used or (index ^ offset ^ l) == 0 for l in labels) or offset >= 1 << 21:
            offset += 1
        unit = (offset << 10) | label | ((1 << 8) if None in node else 0)
        while len(units) <= max([index] + [index ^ offset ^ l for l in labels]):
            units.append(0)
        units[index] = unit
        children = {l: index ^ offset ^ l for l in labels}
        used.update(children.values())
        for key, child in node.items():
            if key is None:
                units[children[0]] = child | (1 << 31)
            else:
                place(children[key], child, key)

    place(0, root, 0)
    while len(units) % 256:
        units.append(0)
    packed = b"".join(struct.pack("<I", u) for u in units)
    return base64.b64encode(struct.pack("<I", len(packed)) + packed + replacements).decode()


CHARSMAP = charsmap(
    {"\r": " ", "\t": " ", "\u00a0": " ", "ﬁ": "fi", "①": "1", "e\u0301": "é", "㍿": "株式会社", "ß": "ss", "\u200b": "", "a\u0308": "ä", "\ufeff": "", "Å": "Å", "½": "1⁄2", "Ⅷ": "VIII", "ｶ": "カ", "ｶﾞ": "ガ"}
)

NORMALIZERS = (
    [{"type": t} for t in "NFC NFD NFKC NFKD Lowercase StripAccents Nmt ByteLevel".split()]
    + [{"type": "BertNormalizer", "clean_text": c, "handle_chinese_chars": h, "strip_accents": s, "lowercase": l} for c in (True, False) for h in (True, False) for s in (None, True, False) for l in (True, False)]
    + [{"type": "Strip", "strip_left": a, "strip_right": b} for a in (True, False) for b in (True, False)]
    + [{"type": "Prepend", "prepend": p} for p in ("▁", "ab ")]
    + [{"type": "Precompiled", "precompiled_charsmap": CHARSMAP}]
    + [{"type": "Replace", "pattern": p, "content": c} for p in (S(" "), S("a"), S("aa"), S("🙂"), R(r"\s+"), R(r"a|b"), R(r"\p{L}"), R(" {2,}"), R(r"(?<=a)b")) for c in ("▁", "$&b", "", "$1")]
    + [{"type": "Sequence", "normalizers": n} for n in ([], [{"type": "NFD"}, {"type": "StripAccents"}, {"type": "Lowercase"}], [{"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": S(" "), "content": "▁"}], [{"type": "Sequence", "normalizers": [{"type": "NFKC"}]}])]
)
PRE_TOKENIZERS = (
    [{"type": t} for t in "BertPreTokenizer Whitespace WhitespaceSplit".split()]
    + [{"type": "ByteLevel", "add_prefix_space": a, "trim_offsets": True, "use_regex": u} for a in (True, False) for u in (True, False)]
    + [{"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False}]
    + [{"type": "CharDelimiterSplit", "delimiter": d} for d in ("a", " ", "🙂", "\u0301")]
    + [{"type": "Digits", "individual_digits": i} for i in (True, False)]
    + [{"type": "FixedLength", "length": n} for n in (1, 2, 5, 1000)] + [{"type": "FixedLength"}]
    + [{"type": "Metaspace", "replacement": r, "prepend_scheme": p, "split": s} for r in ("▁", "_", "🙂") for p in SCHEMES for s in (True, False)]
    + [{"type": "Metaspace", "replacement": "▁"}, {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True}, {"type": "Metaspace", "replacement": "▁", "add_prefix_space": False, "prepend_scheme": "never"}, {"type": "Metaspace", "replacement": "▁", "str_rep": "▁", "add_prefix_space": True, "split": None}]
    + [{"type": "Punctuation", "behavior": b} for b in BEHAVIOURS] + [{"type": "Punctuation"}]
    + [{"type": "Split", "pattern": p, "behavior": b, "invert": i} for p in (S("-"), S(" "), S("aa"), S(""), R(r"( )+"), R(r"\d+|\s"), R("a*")) for b in BEHAVIOURS for i in (True, False)]
    + [{"type": "Split", "pattern": R(p), "behavior": b, "invert": False} for p in PATTERNS for b in ("Isolated",)]
    + [{"type": "Sequence", "pretokenizers": p} for p in ([], [{"type": "Digits", "individual_digits": True}, {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}], [{"type": "WhitespaceSplit"}, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True}], [{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}, {"type": "Punctuation", "behavior": "Isolated"}], [{"type": "Split", "pattern": R(PATTERNS[-14]), "behavior": "Isolated", "invert": False}, {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}])]
)


def file(model, normalizer=None, pre_tokenizer=None, post_processor=None, decoder=None, added_tokens=()):
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": list(added_tokens), "normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "post_processor": post_processor, "decoder": decoder, "model": model}


def added(content, id=0, **flags):
    return {"id": id, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False} | flags


def spelling():
    """The model whose ids show every character and every cut."""
    chars = {c for text in TEXTS for c in text} | set("▁_$&b1株式会社é⁄カガVIabcdefghijklmnopqrstuvwxyz") | {chr(c) for c in range(0x21, 0x180)}
    for normalizer in NORMALIZERS:
        for text in TEXTS:
            chars |= set(Tokenizer.from_str(json.dumps(file({"type": "BPE", "vocab": {}, "merges": []}, normalizer))).normalizer.normalize_str(text))
    vocab = {}
    for c in ["<unk>", *sorted(chars)]:
        for suffix in ("", "</w>"):
            vocab[c + suffix] = len(vocab)
    return {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None, "end_of_word_suffix": "</w>", "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": vocab, "merges": []}


def wl(words, unk="[UNK]"):
    return {"type": "WordLevel", "vocab": {w: i for i, w in enumerate(["[UNK]", *words])}, "unk_token": unk}


def bpe(vocab, merges, **options):
    tokens = vocab if isinstance(vocab, dict) else {t: i for i, t in enumerate(vocab)}
    return {"type": "BPE", "vocab": tokens, "merges": merges} | options


def wp(words, **options):
    return {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": {w: i for i, w in enumerate(["[UNK]", *words])}} | options


BYTES = [f"<0x{i:02X}>" for i in range(256)]


def uni(pieces, **options):
    return {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0]] + [[p, s] for p, s in pieces]} | options


SPLIT = {"type": "WhitespaceSplit"}
MODEL_TEXTS = ["hello world", "helo hel lo", "aab aaab abab", "a🙂b é", "<unk>", "xyz", "x y", "🙂🙂", "ab", "a", "hhh", "low lower lowest", "abcabcabcabc", "é" * 3, "a b a", "unaffable", "##a", "a</w>", "日本"]
LETTERS = ["<unk>", "a", "b", "c", "h", "e", "l", "o", "w", "r", "d", "s", "t", "u", "n", "f", "x", "y"]
SUFFIXED = LETTERS + [c + "</w>" for c in "abcdehlorst"]


def models():
    merges = ["a b", "h e", "l l", "he ll", "hell o", "l o", "lo w"]
    merged = ["ab", "he", "ll", "hell", "hello", "lo", "low"]
    yield "BPE", bpe(LETTERS + merged, merges)
    yield "BPE, merges as pairs", bpe(LETTERS + merged, [m.split() for m in merges])
    yield "BPE with #version", bpe(LETTERS + merged, ["#version: 0.2", *merges])
    for unk in (None, "<unk>", "<none>", ""):
        for fuse in (True, False, None):
            for fallback in (True, False):
                vocab = LETTERS + merged + (BYTES if fallback else [])
                yield f"BPE unk {unk!r} fuse {fuse} bytes {fallback}", bpe(vocab, merges, unk_token=unk, fuse_unk=fuse, byte_fallback=fallback)
    yield "BPE bytes without all", bpe(LETTERS + BYTES[:200], [], unk_token="<unk>", byte_fallback=True)
    yield "BPE ignore_merges", bpe(LETTERS + merged + ["lower", "world"], merges, ignore_merges=True)
    yield "BPE suffix", bpe(SUFFIXED + ["ab</w>", "lo", "low</w>"], ["a b</w>", "l o", "lo w</w>"] if False else ["a b</w>", "l o"], end_of_word_suffix="</w>", unk_token="<unk>")
    yield "BPE prefix", bpe(LETTERS + ["##" + c for c in LETTERS[1:]] + ["ab", "##bc", "abc", "lo"], ["a ##b", "##b ##c", "ab ##c", "l ##o"], continuing_subword_prefix="##", unk_token="<unk>")
    yield "BPE prefix and suffix", bpe(SUFFIXED + ["##" + c for c in SUFFIXED[1:]], [], continuing_subword_prefix="##", end_of_word_suffix="</w>", unk_token="<unk>", fuse_unk=True)
    yield "BPE dropout 0", bpe(LETTERS + merged, merges, dropout=0.0)
    yield "BPE without type", {k: v for k, v in bpe(LETTERS + merged, merges, dropout=None, unk_token="", continuing_subword_prefix="", end_of_word_suffix="", fuse_unk=False).items() if k != "type"}
    yield "BPE two ways to a token", bpe(["a", "b", "c", "ab", "bc", "abc"], ["b c", "a b", "a bc", "ab c"])
    yield "BPE merge given twice", bpe(["a", "b", "ab", "aa", "c"], ["a b", "a a", "a b"])
    yield "BPE holes and large ids", bpe({"a": 5, "b": 100000, "ab": 4294967295, "c": 7}, ["a b"])
    for n in (0, 1, 5, 100, 4294967295):
        yield f"WordPiece at most {n}", wp(["h", "##e", "he", "hello", "##l", "##o", "un", "##aff", "##able", "a", "##a", "##b"], max_input_chars_per_word=n)
    yield "WordPiece no prefix", wp(["h", "e", "he", "l", "o", "a", "b", "ab"], continuing_subword_prefix="")
    yield "WordPiece prefix is a letter", wp(["h", "ae", "a", "al", "b", "ab"], continuing_subword_prefix="a")
    yield "WordPiece without unknown", wp(["a"], unk_token="<none>")
    yield "WordPiece without type", {k: v for k, v in wp(["a", "##b"]).items() if k != "type"}
    yield "WordLevel", wl(["hello", "world", "a", "b", "é", "🙂🙂"])
    yield "WordLevel without unknown", wl(["hello", "a"], unk="<none>")
    yield "WordLevel without type", {k: v for k, v in wl(["a"]).items() if k != "type"}
    pieces = [("a", -1.0), ("b", -2.0), ("ab", -2.5), ("h", -3.0), ("he", -4.0), ("l", -3.0), ("lo", -4.5), ("hello", -20.0), ("o", -1.5), ("é", -5.0), ("w", -2.0)]
    for fallback in (True, False):
        yield f"Unigram bytes {fallback}", uni(pieces + ([(b, -9.0) for b in BYTES] if fallback else []), byte_fallback=fallback)
    yield "Unigram bytes without all", uni(pieces + [(b, -9.0) for b in BYTES[:190]], byte_fallback=True)
    yield "Unigram no unknown", uni(pieces, unk_id=None)
    yield "Unigram unk in the middle", uni(pieces, unk_id=3)
    yield "Unigram equal scores", uni([(p, -1.0) for p, _ in pieces])
    yield "Unigram twice the same piece", uni(pieces + [("a", -0.5), ("h", -50.0)])
    yield "Unigram positive scores", uni([(p, -s) for p, s in pieces])
    yield "Unigram without type", {k: v for k, v in uni(pieces).items() if k != "type"}


TOKENS = ["hello", "##lo", " world", "▁a", "▁", "a▁b", "<0x41>", "<0xC3>", "<0xA9>", "<0xF0>", "<0x+A>", "<0xZZ>", "b</w>", "</w>", "|", "<pad>", "a", "a", "Ġx", "Ã", "©", "é", "🙂", "", " ", "  y  ", "don", " n't", " '", " ' ", " do not", " .", "Ġ", "日", "##", "x.", "'s", "ÿ"]
DECODERS = (
    [None]
    + [{"type": "BPEDecoder", "suffix": s} for s in ("</w>", "", "a")]
    + [{"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}]
    + [{"type": "WordPiece", "prefix": p, "cleanup": c} for p in ("##", "", "▁") for c in (True, False)]
    + [{"type": "Metaspace", "replacement": r, "prepend_scheme": p, "split": True} for r in ("▁", "a") for p in SCHEMES]
    + [{"type": "CTC", "pad_token": "<pad>", "word_delimiter_token": d, "cleanup": c} for d in ("|", "", " ") for c in (True, False)]
    + [{"type": "ByteFallback"}, {"type": "Fuse"}]
    + [{"type": "Replace", "pattern": p, "content": c} for p in (S("▁"), S(""), R(r"\s"), R("a*")) for c in (" ", "$&")]
    + [{"type": "Strip", "content": c, "start": a, "stop": b} for c in (" ", "a") for a in (0, 1, 2) for b in (0, 1)]
    + [{"type": "Sequence", "decoders": d} for d in ([], [{"type": "Replace", "pattern": S("▁"), "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}])]
)

ADDED = [
    [added("<s>", special=True), added("</s>", special=True)],
    [added("<s>", special=True, lstrip=True), added("</s>", special=True, rstrip=True)],
    [added("[MASK]", special=True, lstrip=True, rstrip=True), added("a", single_word=True)],
    [added("a", single_word=True, normalized=True), added("é", normalized=True)],
    [added("the", lstrip=True), added("the-", rstrip=True), added("--")],
    [added("HELLO", normalized=True), added("Hello")],
    [added(" "), added("  "), added("   ", lstrip=True)],
    [added("x", special=True), added("xx"), added("xxx", normalized=True)],
    [added("<s>"), added("<s>", special=True, lstrip=True), added("", special=True)],
    [added("🙂", single_word=True), added("\u0301")],
    [added("A", normalized=True), added("a", normalized=True)],
    [added("HELLO", normalized=True, special=True)],
]

TEMPLATE = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}], "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}], "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [1, 2], "tokens": ["[CLS]", "x"]}, "[SEP]": {"id": "[SEP]", "ids": [0], "tokens": ["[SEP]"]}}}
BYTE_POST = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}
POST = [None, BYTE_POST, {"type": "BertProcessing", "sep": ["b", 2], "cls": ["a", 1]}, {"type": "RobertaProcessing", "sep": ["b", 2], "cls": ["a", 1], "trim_offsets": True, "add_prefix_space": False}, TEMPLATE, {"type": "Sequence", "processors": [BYTE_POST, TEMPLATE]}, {"type": "Sequence", "processors": [TEMPLATE, BYTE_POST]}, {"type": "Sequence", "processors": []}]

PLAIN = wl(["a"])
WRONG = {
    "vocab is a number": file(PLAIN | {"vocab": 5}), "vocab is null": file(PLAIN | {"vocab": None}), "vocab is a list": file(PLAIN | {"vocab": ["a"]}),
    "an id is a half": file(PLAIN | {"vocab": {"[UNK]": 0.5}}), "an id is negative": file(PLAIN | {"vocab": {"[UNK]": -1}}), "an id is -2^31": file(PLAIN | {"vocab": {"a": -(2**31)}}), "an id is 2^32": file(PLAIN | {"vocab": {"[UNK]": 2**32}}), "an id is a string": file(PLAIN | {"vocab": {"[UNK]": "0"}}), "an id is null": file(PLAIN | {"vocab": {"[UNK]": None}}),
    "unk_token is a number": file(PLAIN | {"unk_token": 1}), "no unk_token": file({"type": "WordLevel", "vocab": {"a": 0}}),
    "model of no type": file(PLAIN | {"type": "Magic"}), "model is a list": file([]), "type is a number": file(PLAIN | {"type": 3}),
    "unk_id is a pair": file(uni([("a", -1.0)]) | {"unk_id": [1.5, 2]}), "unk_id is large": file(uni([("a", -1.0)]) | {"unk_id": 9}), "a score is a string": file(uni([("a", "x")])), "a piece is a number": file(uni([(3, -1.0)])), "a piece of three": file(uni([]) | {"vocab": [["<unk>", 0.0, 1]]}), "byte_fallback is null": file(uni([("a", -1.0)]) | {"byte_fallback": None}),
    "merges is a number": file(bpe(["a"], 3)), "a merge of one": file(bpe(["a"], ["a"])), "a merge of three": file(bpe(["a"], ["a a a"])), "a merge of an unknown": file(bpe(["a", "b"], ["a c"])), "a merge to an unknown": file(bpe(["a", "b"], ["a b"])), "merges mixed": file(bpe(["a", "b", "ab"], [["a", "b"], "a b"])), "a merge of numbers": file(bpe(["a"], [[1, 2]])), "dropout is large": file(bpe(["a"], [], dropout=2)), "dropout is a string": file(bpe(["a"], [], dropout="x")), "fuse_unk is a string": file(bpe(["a"], [], fuse_unk="false")), "no merges": file({"type": "BPE", "vocab": {}}), "no vocab": file({"type": "BPE", "merges": []}),
    "max_input_chars_per_word is negative": file(wp(["a"], max_input_chars_per_word=-1)), "no prefix": file({k: v for k, v in wp(["a"]).items() if k != "continuing_subword_prefix"}),
    "an unknown normalizer": file(PLAIN, {"type": "Magic"}), "normalizer is a list": file(PLAIN, []), "normalizer is a string": file(PLAIN, "NFC"), "Strip without sides": file(PLAIN, {"type": "Strip"}), "strip_left is a string": file(PLAIN, {"type": "Strip", "strip_left": "true", "strip_right": True}), "Prepend of a number": file(PLAIN, {"type": "Prepend", "prepend": 1}), "Replace without content": file(PLAIN, {"type": "Replace", "pattern": S("a")}), "Replace of two patterns": file(PLAIN, {"type": "Replace", "pattern": {"String": "a", "Regex": "b"}, "content": "c"}), "Replace of a bare string": file(PLAIN, {"type": "Replace", "pattern": "a", "content": "c"}), "normalizers is no list": file(PLAIN, {"type": "Sequence", "normalizers": {}}), "a null in a sequence": file(PLAIN, {"type": "Sequence", "normalizers": [None]}), "BertNormalizer without fields": file(PLAIN, {"type": "BertNormalizer"}), "clean_text is a number": file(PLAIN, {"type": "BertNormalizer", "clean_text": 1, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True}),
    "an unknown pre-tokenizer": file(PLAIN, None, {"type": "Magic"}), "a delimiter of two": file(PLAIN, None, {"type": "CharDelimiterSplit", "delimiter": "ab"}), "an empty delimiter": file(PLAIN, None, {"type": "CharDelimiterSplit", "delimiter": ""}), "Digits of a string": file(PLAIN, None, {"type": "Digits", "individual_digits": "x"}), "an unknown behaviour": file(PLAIN, None, {"type": "Punctuation", "behavior": "Gone"}), "Split without invert": file(PLAIN, None, {"type": "Split", "pattern": S("a"), "behavior": "Removed"}), "an unknown scheme": file(PLAIN, None, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "last"}), "schemes that contradict": file(PLAIN, None, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "add_prefix_space": False}), "a replacement of two": file(PLAIN, None, {"type": "Metaspace", "replacement": "▁▁"}), "FixedLength of a half": file(PLAIN, None, {"type": "FixedLength", "length": 1.5}), "FixedLength negative": file(PLAIN, None, {"type": "FixedLength", "length": -1}), "ByteLevel without fields": file(PLAIN, None, {"type": "ByteLevel"}),
    "an unknown post-processor": file(PLAIN, None, None, {"type": "Magic"}), "ids of halves": file(PLAIN, None, None, TEMPLATE | {"special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [0.5], "tokens": ["x"]}, "[SEP]": {"id": "x", "ids": [0], "tokens": ["x"]}}}), "ids of strings": file(PLAIN, None, None, TEMPLATE | {"special_tokens": {"[CLS]": {"id": "[CLS]", "ids": ["x"], "tokens": ["x"]}}}), "ids negative": file(PLAIN, None, None, {"type": "BertProcessing", "sep": ["a", -1], "cls": ["b", 1]}), "cls of one": file(PLAIN, None, None, {"type": "BertProcessing", "sep": ["a"], "cls": ["b", 1]}), "single is a string": file(PLAIN, None, None, TEMPLATE | {"single": "$A"}), "no special_tokens": file(PLAIN, None, None, {k: v for k, v in TEMPLATE.items() if k != "special_tokens"}),
    "an unknown decoder": file(PLAIN, None, None, None, {"type": "Magic"}), "Strip of two": file(PLAIN, None, None, None, {"type": "Strip", "content": "ab", "start": 1, "stop": 0}), "Strip of a half": file(PLAIN, None, None, None, {"type": "Strip", "content": "a", "start": 0.5, "stop": 0}), "WordPiece without prefix": file(PLAIN, None, None, None, {"type": "WordPiece", "cleanup": True}),
    "added_tokens is an object": file(PLAIN) | {"added_tokens": {}}, "an added token is a string": file(PLAIN) | {"added_tokens": ["a"]}, "lstrip is a string": file(PLAIN) | {"added_tokens": [added("x") | {"lstrip": "no"}]}, "content is a number": file(PLAIN) | {"added_tokens": [added("x") | {"content": 1}]},
    "version 2": file(PLAIN) | {"version": "2.0"},
}


def alike(tokens, normalizer):
    """Whether two added tokens are one in normalized form: which of them is found is then chance, and we refuse."""
    tokenizer = read(file(PLAIN, normalizer))
    form = lambda t: tokenizer.normalizer.normalize_str(t["content"]) if t["normalized"] and tokenizer.normalizer else t["content"]
    try:
        forms = [(t["normalized"], form(t)) for t in {t["content"]: t for t in tokens}.values() if t["content"]]
    except BaseException:
        return False
    return len(set(forms)) < len(forms) or any(f == "" for _, f in forms)


def read(tokenizer_json):
    try:
        return Tokenizer.from_str(json.dumps(tokenizer_json))
    except BaseException:  # a panic of the library is no Exception
        return None


def encoded(tokenizer, text, special=True):
    """The ids; null where the library breaks down."""
    try:
        return tokenizer.encode(text, add_special_tokens=special).ids
    except BaseException:
        return None


def decoded(tokenizer, ids, skip=False):
    try:
        return tokenizer.decode(ids, skip_special_tokens=skip)
    except BaseException:
        return None


def components():
    spell = spelling()
    out = {"texts": TEXTS, "spelling": spell, "modelTexts": MODEL_TEXTS, "cuts": [], "models": [], "decoders": [], "added": [], "post": [], "wrong": [], "refused": [], "unread": UNREAD}
    for part, list_ in (("normalizer", NORMALIZERS), ("pre_tokenizer", PRE_TOKENIZERS)):
        for component in list_:
            tokenizer = read(file(spell, **{part: component}))
            assert tokenizer, component
            out["cuts"].append({"part": part, "component": component, "ids": [encoded(tokenizer, t) for t in TEXTS]})
    # The scheme "first" asks where a word comes from, through any normalizer.
    first = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True}
    for normalizer in NORMALIZERS:
        tokenizer = read(file(spell, normalizer, first))
        out["cuts"].append({"part": "both", "component": [normalizer, first], "ids": [encoded(tokenizer, t) for t in TEXTS]})
    for name, model in models():
        tokenizer = read(file(model, None, SPLIT))
        ids = tokenizer and [encoded(tokenizer, t) for t in MODEL_TEXTS]
        out["models"].append({"name": name, "model": model, "ids": ids, "decoded": ids and [decoded(tokenizer, row) if row is not None else None for row in ids]})
    words = wl([t for t in dict.fromkeys(TOKENS)])
    rng = random.Random(1)
    places = [words["vocab"][t] for t in TOKENS]
    sequences = [[], *([p] for p in places), places, *([rng.choice(places) for _ in range(rng.randint(2, 7))] for _ in range(60))]
    out["decoderModel"], out["sequences"] = words, sequences
    for decoder in DECODERS:
        tokenizer = read(file(words, decoder=decoder))
        assert tokenizer, decoder
        out["decoders"].append({"decoder": decoder, "decoded": [decoded(tokenizer, row) for row in sequences]})
    for tokens in ADDED:
        for normalizer in (None, {"type": "Lowercase"}, {"type": "Prepend", "prepend": "▁"}):
            for pre in (None, SPLIT, first):
                tokenizer = read(file(spell, normalizer, pre, added_tokens=tokens))
                refused = tokenizer is None or alike(tokens, normalizer)
                rows = None if refused else [encoded(tokenizer, t) for t in TEXTS[:22]]
                out["added"].append({"tokens": tokens, "normalizer": normalizer, "pre_tokenizer": pre, "ids": rows, "decoded": rows and [row is not None and decoded(tokenizer, row, True) for row in rows]})
    for post in POST:
        tokenizer = read(file(wl(["a", "b"]), None, SPLIT, post))
        out["post"].append({"post": post, "ids": [encoded(tokenizer, t) for t in ("a b x", "")], "bare": encoded(tokenizer, "a b x", False)})
    for name, wrong in WRONG.items():
        out["wrong"].append({"name": name, "file": wrong, "read": read(wrong) is not None})
    for name, (part, component) in REFUSED.items():
        tokenizer_json = file(wl(["a"])) | {part: component}
        assert read(tokenizer_json), name
        out["refused"].append({"name": name, "file": tokenizer_json})
    return out


def pipelines(seed, count):
    rng = random.Random(seed)
    spell = spelling()
    rows = []
    for _ in range(count):
        some = lambda list_, most: [rng.choice(list_) for _ in range(rng.randint(0, most))]
        normalizer = {"type": "Sequence", "normalizers": some(NORMALIZERS, 3)}
        pre = {"type": "Sequence", "pretokenizers": some(PRE_TOKENIZERS, 3)}
        tokens = rng.choice(ADDED + [[]] * 12)
        texts = []
        for _ in range(4):
            text = "".join(rng.choice([rng.choice(TEXTS), rng.choice(rng.choice([t for t in TEXTS if t])), rng.choice([" ", "a", "\n", "<s>", "▁"])])[:24] for _ in range(rng.randint(0, 3)))
            texts.append(text)
        tokenizer = read(file(spell, normalizer, pre, added_tokens=tokens))
        rows.append({"normalizer": normalizer, "pre_tokenizer": pre, "added_tokens": tokens, "texts": texts, "ids": None if tokenizer is None or alike(tokens, normalizer) else [encoded(tokenizer, t) for t in texts]})
    return rows


def main():
    assert tokenizers.__version__ == "0.23.2", tokenizers.__version__
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    folder = Path(sys.argv[3]) if len(sys.argv) > 3 else FOLDER
    folder.mkdir(exist_ok=True)
    if seed == 0:
        write = lambda name, value: (folder / name).write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")
        write("components.json", components())
    (folder / "random.json").write_text(json.dumps(pipelines(seed, count), ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
