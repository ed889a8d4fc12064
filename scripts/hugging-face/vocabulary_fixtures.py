"""Writes test/text/vocabularies/: tokenizers whose vocabulary is not in a tokenizer.json, with what Python's libraries give.

    python scripts/hugging-face/vocabulary_fixtures.py TEXT     # needs transformers 5.18, tokenizers 0.23.2, sentencepiece 0.2.2

TEXT is any English text of some 200 kB to train the small vocabularies on.
"""
import json
import os
import random
import sys
import tempfile
from pathlib import Path

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import sentencepiece as spm  # noqa: E402
from sentencepiece import sentencepiece_model_pb2 as pb  # noqa: E402
from tokenizers import Tokenizer, models, trainers, pre_tokenizers  # noqa: E402
from transformers import AutoTokenizer, XGLMTokenizer  # noqa: E402
from transformers.convert_slow_tokenizer import XGLMConverter  # noqa: E402
from transformers.integrations.gguf import convert_gguf_tokenizer  # noqa: E402

OUT = Path(__file__).parents[2] / "test/text/vocabularies"
TEXTS = [
    "", " ", "  ", "Hello, world!", " Hello World", "I am happy.", "a  b   c    d", "def f(x):\n        return x+12\n",
    "123+ 32563872+ 39872398743+39 84 2y39", "café naïve Ünïcödé 🦙🚀", "е ё — “quotes” …", "\t\ttabs\n\n\nnewlines   ",
    "When Mary and John went to the store, John gave a drink to", "I'm you're they've we'll he'd SHE'S", "x" * 40,
    "                              end", "é composed vs e\u0301", "ｆｕｌｌ　ｗｉｄｔｈ ﬁ ① ½ Ⅷ", "</s>hi<s> there <unk>", "<s> x </s>",
    "▁already▁there▁", "你好，世界 мир", "a\u200bb\u00a0c\u3000d\ufeffe", "<0x41> <0x0A>", "<extra_id_0> and <extra_id_99>", "<start_of_turn>user\nhi<end_of_turn>\n",
    "[CLS] token [MASK] [SEP] [PAD]", "<mask> x", "resume résumé RÉSUMÉ İstanbul ΑΣ ß", "q\u0323\u0307 Å Å", "\r\n\r\n", "\x00\x01\x7f",
    "<|endoftext|>hi", "<|im_start|>user\nhi<|im_end|>",
]


def more_texts(seed, count=60):
    rng = random.Random(seed)
    parts = ["the", "of", " ", "  ", "\n", "\t", "é", "e\u0301", "ﬁ", "🙂", "1", "23", ".", ",", "'s", "</s>", "<s>", "▁", "Whale", "你", "\u00a0", "-", "ing", "A", "<unk>", "<0x41>", "\u200d"]
    return ["".join(rng.choice(parts) for _ in range(rng.randint(1, 14))) for _ in range(count)]


def train(text, name, **options):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "text.txt")
        path.write_text(text)
        spm.SentencePieceTrainer.train(input=str(path), model_prefix=str(Path(folder, name)), minloglevel=3, num_threads=1, **options)
        return Path(folder, name + ".model").read_bytes()


def lean(model):
    """Without what training was given, which names folders."""
    proto = pb.ModelProto.FromString(model)
    del proto.trainer_spec.input[:]
    proto.trainer_spec.ClearField("model_prefix")
    return proto.SerializeToString()


def with_charsmap(model, rule):
    """A short map of normalization instead of the long one."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "rule.tsv").write_text(rule)
        Path(folder, "text.txt").write_text("a b c d e f g\n" * 50)
        spm.SentencePieceTrainer.train(input=str(Path(folder, "text.txt")), model_prefix=str(Path(folder, "m")), minloglevel=3, vocab_size=20, hard_vocab_limit=False, normalization_rule_tsv=str(Path(folder, "rule.tsv")))
        charsmap = pb.ModelProto.FromString(Path(folder, "m.model").read_bytes()).normalizer_spec.precompiled_charsmap
    proto = pb.ModelProto.FromString(model)
    proto.normalizer_spec.precompiled_charsmap = charsmap
    return proto.SerializeToString()


RULE = "\n".join("\t".join(row) for row in [("FB01", "66 69"), ("A0", "20"), ("3000", "20"), ("9", "20"), ("A", "20"), ("65 301", "E9"), ("2460", "31"), ("BD", "31 2044 32"), ("FEFF", ""), ("200B", "")]) + "\n"


def main():
    text = Path(sys.argv[1]).read_text()[:200_000]
    rng = dict(character_coverage=0.995)
    llama = lean(train(text, "m", vocab_size=500, model_type="bpe", byte_fallback=True, normalization_rule_name="identity", split_digits=True, remove_extra_whitespaces=False, allow_whitespace_only_pieces=True, **rng))
    gemma = lean(train(text, "m", vocab_size=500, model_type="bpe", byte_fallback=True, normalization_rule_name="identity", split_digits=True, remove_extra_whitespaces=False, add_dummy_prefix=False, pad_id=0, eos_id=1, bos_id=2, unk_id=3, bos_piece="<bos>", eos_piece="<eos>", user_defined_symbols=["<start_of_turn>", "<end_of_turn>", "▁▁", "\n", "\t"], **rng))
    t5 = with_charsmap(lean(train(text, "m", vocab_size=300, model_type="unigram", pad_id=0, eos_id=1, unk_id=2, bos_id=-1, **rng)), RULE)
    unigram = with_charsmap(lean(train(text, "m", vocab_size=300, model_type="unigram", **rng)), RULE)
    unigram_bytes = lean(train(text, "m", vocab_size=560, model_type="unigram", byte_fallback=True, normalization_rule_name="identity", **rng))
    bpe = with_charsmap(lean(train(text, "m", vocab_size=300, model_type="bpe", **rng)), RULE)
    symbols = lean(train(text, "m", vocab_size=300, model_type="unigram", normalization_rule_name="identity", user_defined_symbols=["<sep>", "of the"], control_symbols=["<ctl>"], **rng))
    nfkc = lean(train(text, "m", vocab_size=300, model_type="unigram", **rng))
    MODELS = {"llama": llama, "gemma": gemma, "t5": t5, "unigram": unigram, "unigram-bytes": unigram_bytes, "bpe": bpe, "symbols": symbols, "nmt-nfkc": nfkc}
    OUT.mkdir(exist_ok=True)
    for name, model in MODELS.items():
        (OUT / f"{name}.model").write_bytes(model)

    # Byte-level and WordPiece vocabularies.
    byte = Tokenizer(models.BPE())
    byte.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    byte.train_from_iterator(text.splitlines(), trainers.BpeTrainer(vocab_size=500, special_tokens=["<pad>", "</s>", "<unk>", "<|endoftext|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    made = json.loads(byte.to_str())["model"]
    vocab, merges = made["vocab"], "#version: 0.2\n" + "\n".join(m if isinstance(m, str) else " ".join(m) for m in made["merges"]) + "\n"
    roberta = {{"<s>": "<s>"}.get(k, k): v for k, v in vocab.items()} | {"<s>": len(vocab), "<mask>": len(vocab) + 1}
    piece = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    piece.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    piece.train_from_iterator((text + " café naïve résumé 你 好 世 界 İ ß").lower().splitlines(), trainers.WordPieceTrainer(vocab_size=400, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False))
    words = json.loads(piece.to_str())["model"]["vocab"]
    # Some words with capitals and accents, for the cased ones.
    words = list(sorted(words, key=words.get)) + ["Hello", "R", "##É", "É", "é", "##é", "World"]

    opt = {"bos_token": "</s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "</s>"}
    obj = {k: {"content": v, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False} for k, v in opt.items()}
    mask = {"content": "<mask>", "lstrip": True, "normalized": False, "rstrip": False, "single_word": False}
    bpe_files = {"vocab.json": vocab, "merges.txt": merges}
    vocab_txt = {"vocab.txt": "\n".join(words) + "\n"}
    C = lambda name, **more: {"tokenizer_config.json": {"tokenizer_class": name} | more}  # noqa: E731
    M = lambda kind: {"config.json": {"model_type": kind}}  # noqa: E731
    S = lambda name, file="tokenizer.model": {file: f"@{name}.model"}  # noqa: E731
    FOLDERS = {
        "Llama": M("llama") | S("llama") | C("LlamaTokenizer", add_bos_token=True),
        "Llama without BOS, with EOS": M("llama") | S("llama") | C("LlamaTokenizer", add_bos_token=False, add_eos_token=True),
        "Llama, legacy": M("llama") | S("llama") | C("LlamaTokenizer", add_bos_token=True, legacy=True),
        "Llama without a space before": M("llama") | S("llama") | C("LlamaTokenizer", add_bos_token=True, add_prefix_space=False),
        "Llama, fast, with a padding token": M("llama") | S("llama") | C("LlamaTokenizerFast", add_bos_token=True, pad_token="<unk>", added_tokens_decoder={"0": {"content": "<unk>", "special": True}, "1": {"content": "<s>", "special": True}, "2": {"content": "</s>", "special": True}}),
        "Llama with more tokens": M("llama") | S("llama") | C("LlamaTokenizer", add_bos_token=True) | {"added_tokens.json": {"<extra>": 500, "Whale": 501}},
        "CodeLlama": M("llama") | S("llama") | C("CodeLlamaTokenizer", add_bos_token=True, prefix_token=None, middle_token=None, suffix_token=None, eot_token=None, fill_token=None),
        "Gemma": M("gemma") | S("gemma") | C("GemmaTokenizer", add_bos_token=True, mask_token=None),
        "Gemma 2 without BOS": M("gemma2") | S("gemma") | C("GemmaTokenizer", add_bos_token=False, mask_token=None),
        "T5": M("t5") | S("t5", "spiece.model") | C("T5Tokenizer"),
        "T5 without a class": M("t5") | S("t5", "spiece.model"),
        "T5 with ten extra ids": M("t5") | S("t5", "spiece.model") | C("T5Tokenizer", extra_ids=10),
        "XLM-RoBERTa": M("xlm-roberta") | S("unigram", "sentencepiece.bpe.model") | C("XLMRobertaTokenizer"),
        "GPT-2": M("gpt2") | bpe_files | C("GPT2Tokenizer"),
        "OPT": M("opt") | bpe_files | C("GPT2Tokenizer", add_bos_token=True, add_prefix_space=False, **opt),
        "OPT with special_tokens_map.json": M("opt") | bpe_files | C("GPT2Tokenizer", add_bos_token=True) | {"special_tokens_map.json": obj},
        "GPT-NeoX": M("gpt_neox") | bpe_files | C("GPTNeoXTokenizer", pad_token=None),
        "Qwen 2": M("qwen2") | bpe_files | C("Qwen2Tokenizer"),
        "Qwen 2 with added tokens": M("qwen2") | bpe_files | C("Qwen2Tokenizer", added_tokens_decoder={"500": {"content": "<|im_start|>", "special": True}, "501": {"content": "<|im_end|>", "special": True}}, eos_token="<|im_end|>"),
        "CodeGen": M("codegen") | bpe_files | C("CodeGenTokenizer", add_prefix_space=True),
        "RoBERTa": M("roberta") | {"vocab.json": roberta, "merges.txt": merges} | C("RobertaTokenizer", mask_token=mask | {"__type": "AddedToken"}),
        "BERT": M("bert") | vocab_txt | C("BertTokenizer"),
        "BERT without a class": M("bert") | vocab_txt,
        "BERT, cased": M("bert") | vocab_txt | C("BertTokenizer", do_lower_case=False),
        "BERT, cased without accents": M("bert") | vocab_txt | C("BertTokenizer", do_lower_case=False, strip_accents=True),
        "BERT, lower case with accents": M("bert") | vocab_txt | C("BertTokenizer", strip_accents=False),
        "BERT without Chinese characters": M("bert") | vocab_txt | C("BertTokenizer", tokenize_chinese_chars=False),
        "DistilBERT": M("distilbert") | vocab_txt | C("DistilBertTokenizer", do_lower_case=True),
    }
    texts = TEXTS + more_texts(1)
    rows = []
    for name, files in FOLDERS.items():
        with tempfile.TemporaryDirectory() as folder:
            for path, content in files.items():
                if isinstance(content, str) and content.startswith("@"):
                    Path(folder, path).write_bytes(MODELS[content[1:-6]])
                else:
                    Path(folder, path).write_text(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False))
            tokenizer = AutoTokenizer.from_pretrained(folder)
        rows.append(row(name, files, tokenizer, texts))
    # transformers 5.18 looks for no such file of XGLM's, but says how it is laid out.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "m.model").write_bytes(unigram)
        converter = XGLMConverter(type("Files", (), {"vocab_file": str(Path(folder, "m.model"))})())
        proto = converter.proto
        xglm = XGLMTokenizer(vocab=converter.vocab(proto), _spm_precompiled_charsmap=proto.normalizer_spec.precompiled_charsmap)
    rows.append(row("XGLM", M("xglm") | S("unigram", "sentencepiece.bpe.model") | C("XGLMTokenizer"), xglm, texts))
    (OUT / "classes.json").write_text(json.dumps({"texts": texts, "rows": rows}, ensure_ascii=False, separators=(",", ":")) + "\n")

    # Without a class: as the SentencePiece library itself.
    plain = [t for t in texts if not any(s in t for s in ("<s>", "</s>", "<unk>", "<0x", "▁", "\x00"))]
    own = []
    for name in ("llama", "unigram", "unigram-bytes", "bpe", "symbols", "nmt-nfkc"):
        sp = spm.SentencePieceProcessor(model_proto=MODELS[name])
        ids = [sp.encode(t) for t in plain]
        own.append({"model": name, "ids": ids, "decoded": [sp.decode(i) for i in ids]})
    (OUT / "sentencepiece.json").write_text(json.dumps({"texts": plain, "rows": own}, ensure_ascii=False, separators=(",", ":")) + "\n")

    # What a GGUF file says, and what transformers makes of it. It adds no BOS, whatever the file says.
    proto = pb.ModelProto.FromString
    pieces = lambda model: {"tokens": [p.piece for p in proto(model).pieces], "scores": [p.score for p in proto(model).pieces], "token_type": [p.type for p in proto(model).pieces]}  # noqa: E731
    bytes_of = {"tokens": sorted(vocab, key=vocab.get), "merges": merges.splitlines()[1:], "token_type": [3 if i < 4 else 1 for i in range(len(vocab))]}
    gemma_gguf = pieces(gemma)
    gemma_gguf["tokens"] = [t.replace("▁", " ") if set(t) == {"▁"} and len(t) > 1 else t for t in gemma_gguf["tokens"]]
    t5_gguf = pieces(t5)
    t5_gguf = {"tokens": t5_gguf["tokens"] + [f"[PAD{300 + i}]" for i in range(128)], "scores": t5_gguf["scores"] + [-10000.0] * 128, "token_type": t5_gguf["token_type"] + [5] * 128}
    GGUF = [("gpt2", "gpt2", {"pre_tokenizer_type": pre} | bytes_of) for pre in ("gpt-2", "qwen2", "llama-bpe", "tekken", "gpt-4o")]
    GGUF += [("llama", "llama", pieces(llama)), ("gemma2", "llama", gemma_gguf), ("phi3", "llama", pieces(llama)), ("t5", "t5", t5_gguf)]
    ggufs = []
    for architecture, kind, says in GGUF:
        backend, _ = convert_gguf_tokenizer(architecture, {"tokenizer_type": kind} | says)
        encoded = [backend.encode(t, add_special_tokens=False).ids for t in texts]
        ggufs.append({"architecture": architecture, "model": kind, "says": says, "ids": encoded, "decoded": [backend.decode(i, skip_special_tokens=False) for i in encoded]})
    (OUT / "gguf.json").write_text(json.dumps({"texts": texts, "rows": ggufs}, ensure_ascii=False, separators=(",", ":")) + "\n")


def row(name, files, tokenizer, texts):
    ids = [tokenizer(t).input_ids for t in texts]
    named = {role: [getattr(tokenizer, f"{role}_token"), getattr(tokenizer, f"{role}_token_id")] for role in ("bos", "eos", "pad")}
    return {"name": name, "files": files, "class": type(tokenizer).__name__, "named": named, "size": len(tokenizer), "ids": ids, "decoded": [tokenizer.backend_tokenizer.decode(i, skip_special_tokens=False) for i in ids]}


if __name__ == "__main__":
    main()
