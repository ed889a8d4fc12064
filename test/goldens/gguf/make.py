"""Converts the tiny models of ../hf to GGUF, in float16, as llama.cpp 0.5.0 does it: python make.py LLAMA_CPP HF_FOLDERS [NAME ...]

LLAMA_CPP is a checkout of llama.cpp, HF_FOLDERS a folder of NAME-tiny folders. The vocabulary of each is made up. Where a
configuration lacks a field that the converter needs, or has one that files on the hub do not have, that is put right.
"""

import json
import logging
import pathlib
import shutil
import sys
import tempfile

llama_cpp, folders = map(pathlib.Path, sys.argv[1:3])
sys.path[:0] = [str(llama_cpp / "gguf-py"), str(llama_cpp)]

import gguf
import torch
from conversion import get_model_class
from conversion import base

logging.disable(logging.WARNING)
here = pathlib.Path(__file__).parent
names = sys.argv[3:] or (
    "apertus bloom cohere falcon gemma gemma2 gemma3_text gpt2 gpt_bigcode gpt_neox gpt_oss granite llama llama3_rope "
    "llama_linear_rope llama_yarn mixtral mpt olmo olmo2 olmo3 olmoe phi phi3 qwen2 qwen2_moe qwen3 qwen3_moe smollm3 stablelm starcoder2"
).split()
fixed = {
    "gpt2": lambda c: {**c, "n_ctx": c["n_positions"]},
    "gpt_neox": lambda c: {**c, "rotary_pct": c["rope_parameters"].get("partial_rotary_factor", 0.25)},
    "falcon": lambda c: {**c, "num_kv_heads": 1},
    "mpt": lambda c: {**c, "architectures": ["MPTForCausalLM"]},
}


def vocabulary(self):
    count = self.hparams["vocab_size"]
    self.gguf_writer.add_tokenizer_model("gpt2")
    self.gguf_writer.add_tokenizer_pre("gpt-2")
    self.gguf_writer.add_token_list(["t", "0", "t0", *(f"t{i}" for i in range(3, count))])
    self.gguf_writer.add_token_types([gguf.TokenType.NORMAL] * count)
    self.gguf_writer.add_token_merges(["t 0"])


(here / "split").mkdir(exist_ok=True)
for name in names:
    with tempfile.TemporaryDirectory() as copy:
        folder = pathlib.Path(copy) / name
        shutil.copytree(folders / f"{name}-tiny", folder)
        config = json.loads((folder / "config.json").read_text())
        # Gemma 3's converter counts the tokens.
        vocab = {f"t{i}": i for i in range(config["vocab_size"])}
        (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocab}, "added_tokens": []}))
        loaded = fixed.get(name, lambda c: c)(base.ModelBase.load_hparams(folder, False))
        kind = get_model_class(base.get_model_architecture(loaded, base.ModelType.TEXT))
        kind = type("WithVocabulary", (kind,), {"set_vocab": vocabulary, "model_arch": kind.model_arch})
        with torch.inference_mode():
            kind(folder, gguf.LlamaFileType.MOSTLY_F16, here / f"{name}.gguf", eager=True, hparams=loaded).write()
        if name == "llama":
            parts = kind(
                folder, gguf.LlamaFileType.MOSTLY_F16, here / "split" / "llama.gguf", eager=True, hparams=loaded, split_max_tensors=8
            )
            with torch.inference_mode():
                parts.write()
