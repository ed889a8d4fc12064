"""Writes test/text/hugging-face/auto.json: folders of tokenizer files, and what transformers' AutoTokenizer makes of them.

    python scripts/hugging-face/auto_tokenizer_fixtures.py      # needs transformers 5.18 and tokenizers 0.23.2
"""
import json
import os
import tempfile
from pathlib import Path

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
from tokenizers.pre_tokenizers import ByteLevel  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402

VOCAB = {c: i for i, c in enumerate(sorted(ByteLevel.alphabet()))} | {"he": 256, "Ġt": 257, "<|endoftext|>": 258}
MERGES = [["h", "e"], ["Ġ", "t"]]


def token(content, id=None, **flags):
    out = {"content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True} | flags
    return out if id is None else {"id": id} | out


BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
PLAIN = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [token("<|endoftext|>", 258)], "normalizer": None, "pre_tokenizer": BYTE_LEVEL, "post_processor": None, "decoder": BYTE_LEVEL, "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "", "end_of_word_suffix": "", "fuse_unk": False, "byte_fallback": False, "vocab": VOCAB, "merges": MERGES}}
MORE = PLAIN | {"added_tokens": [*PLAIN["added_tokens"], token("<|start|>", 259), token("<|pad|>", 260)]}
MAP = {"bos_token": "<|start|>", "eos_token": "<|endoftext|>", "pad_token": "<|pad|>"}
GPT2, FAST, NEOX = ({"tokenizer_class": c} for c in ("GPT2Tokenizer", "PreTrainedTokenizerFast", "GPTNeoXTokenizerFast"))
DECODER = {"added_tokens_decoder": {"260": token("<|x|>", special=False), "259": token("<|pad|>")}}
FOLDERS = {
    "special_tokens_map.json alone": {"tokenizer.json": MORE, "special_tokens_map.json": MAP},
    "special_tokens_map.json over tokenizer_config.json": {"tokenizer.json": MORE, "special_tokens_map.json": MAP, "tokenizer_config.json": GPT2 | {"bos_token": "<|endoftext|>"}},
    "special_tokens_map.json with objects": {"tokenizer.json": MORE, "special_tokens_map.json": {k: token(v) for k, v in MAP.items()}, "tokenizer_config.json": GPT2},
    "add_prefix_space of GPT-2": {"tokenizer.json": PLAIN, "tokenizer_config.json": GPT2 | {"add_prefix_space": True}},
    "add_prefix_space of GPT-NeoX": {"tokenizer.json": PLAIN | {"normalizer": {"type": "NFC"}}, "tokenizer_config.json": NEOX | {"add_prefix_space": True, "pad_token": "<|endoftext|>"}},
    "add_prefix_space of a class that takes the file as it is": {"tokenizer.json": PLAIN, "tokenizer_config.json": FAST | {"add_prefix_space": True, "eos_token": "<|endoftext|>"}},
    "added_tokens_decoder": {"tokenizer.json": PLAIN, "tokenizer_config.json": GPT2 | DECODER | {"pad_token": "<|pad|>"}},
    "added_tokens_decoder over special_tokens_map.json": {"tokenizer.json": MORE, "special_tokens_map.json": MAP, "tokenizer_config.json": GPT2 | {"added_tokens_decoder": {"258": token("<|endoftext|>"), "259": token("<|start|>"), "260": token("<|pad|>")}}},
    "added_tokens_decoder of a class that takes the file as it is": {"tokenizer.json": PLAIN, "tokenizer_config.json": FAST | DECODER | {"pad_token": "<|pad|>"}},
    "added_tokens.json": {"tokenizer.json": PLAIN, "added_tokens.json": {"<|x|>": 259}, "tokenizer_config.json": GPT2},
    "additional_special_tokens": {"tokenizer.json": PLAIN, "tokenizer_config.json": GPT2 | {"additional_special_tokens": ["<|x|>", "<|pad|>"]}},
    "add_bos_token, which a tokenizer.json decides": {"tokenizer.json": PLAIN, "tokenizer_config.json": GPT2 | {"add_bos_token": True, "add_eos_token": True}},
    "vocab.json and merges.txt": {"vocab.json": VOCAB, "merges.txt": "#version: 0.2\nh e\nĠ t\n"},
    "vocab.json and merges.txt with a configuration": {"vocab.json": VOCAB, "merges.txt": "h e\nĠ t", "tokenizer_config.json": GPT2 | {"add_prefix_space": True}},
}
TEXTS = ["hello there <|endoftext|>!", "<|start|> the <|pad|><|x|>", " é🙂"]


def main():
    rows = []
    for name, files in FOLDERS.items():
        with tempfile.TemporaryDirectory() as folder:
            for path, content in ({"config.json": {"model_type": "gpt2"}} | files).items():
                Path(folder, path).write_text(content if isinstance(content, str) else json.dumps(content))
            tokenizer = AutoTokenizer.from_pretrained(folder)
        named = {role: [getattr(tokenizer, f"{role}_token"), getattr(tokenizer, f"{role}_token_id")] for role in ("bos", "eos", "pad")}
        rows.append({"name": name, "files": files, "named": named, "size": len(tokenizer), "texts": TEXTS, "ids": [tokenizer(t).input_ids for t in TEXTS]})
    path = Path(__file__).parents[2] / "test/text/hugging-face/auto.json"
    path.write_text(json.dumps(rows, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
