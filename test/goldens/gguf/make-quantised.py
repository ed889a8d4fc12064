"""Quantised models with tokenizers, made by llama.cpp 0.5.0 and read by transformers 5.18: python make-quantised.py LLAMA_CPP LIBRARIES

LLAMA_CPP is a checkout of llama.cpp, LIBRARIES the folder of its compiled libllama. For each of NAME.gguf, NAME.json has token ids of
prompts, and their texts, by transformers' tokenizer, and NAME.safetensors the logits that transformers gives for the file.
"""

import ctypes
import io
import json
import logging
import pathlib
import sys
import tempfile

llama_cpp, libraries = map(pathlib.Path, sys.argv[1:3])
sys.path[:0] = [str(llama_cpp / "gguf-py"), str(llama_cpp)]

import gguf
import safetensors.torch
import sentencepiece
import torch
import transformers
from conversion import base, get_model_class
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

logging.disable(logging.WARNING)
here = pathlib.Path(__file__).parent
text = (here / "../../../README.md").read_text().lower()
prompts = ["the model of a text", "Unseen: Größe 27 → ∑ 🙂", "  two  spaces\n\nand lines"]

for name in ["libggml-base.so", "libggml.v0.5.0.so", "libllama.v0.5.0.so"]:
    llama = ctypes.CDLL(str(libraries / name), mode=ctypes.RTLD_GLOBAL)


class Parameters(ctypes.Structure):
    _fields_ = [(n, ctypes.c_int32) for n in ["nthread", "ftype", "output_tensor_type", "token_embedding_type"]]
    _fields_ += [(n, ctypes.c_bool) for n in ["allow_requantize", "quantize_output", "only_copy", "pure", "keep_split", "dry_run"]]
    _fields_ += [(n, ctypes.c_void_p) for n in ["imatrix", "kv", "tt", "prune"]] + [("max_buf_size", ctypes.c_size_t)]


llama.llama_model_quantize_default_params.restype = Parameters
llama.llama_model_quantize.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.POINTER(Parameters)]
llama.llama_backend_init()


def byte_level(folder):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=319, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet)
    tokenizer.train_from_iterator([text], trainer)
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<|endoftext|>", eos_token="<|endoftext|>"
    )
    fast.add_tokens(["<|user|>"])
    fast.save_pretrained(folder)


def pieces(folder):
    with open(folder / "tokenizer.model", "wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=io.BytesIO("\n".join(text.split("\n")).encode()), model_writer=file, vocab_size=384,
            model_type="bpe", byte_fallback=True, bos_id=1, eos_id=2, unk_id=0, normalization_rule_name="identity",
            remove_extra_whitespaces=False, add_dummy_prefix=True, minloglevel=2,
        )
    config = {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    (folder / "tokenizer_config.json").write_text(json.dumps({**config, "add_bos_token": True, "legacy": False}))


def make(name, ftype, tokenizer_of, config):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        tokenizer_of(folder)
        torch.manual_seed(0)
        model = transformers.AutoModelForCausalLM.from_config(config)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, 1 if parameter.ndim == 1 else 0, 0.1)
        model.save_pretrained(folder)
        kind = get_model_class(config.architectures[0])
        words = {"get_vocab_base_pre": lambda self, tokenizer: "gpt-2", "model_arch": kind.model_arch}
        with torch.inference_mode():
            whole = folder / "whole.gguf"
            type("Known", (kind,), words)(folder, gguf.LlamaFileType.ALL_F32, whole, eager=True).write()
        parameters = llama.llama_model_quantize_default_params()
        parameters.nthread, parameters.ftype = 1, ftype
        assert llama.llama_model_quantize(str(whole).encode(), str(here / f"{name}.gguf").encode(), parameters) == 0
        read = transformers.AutoModelForCausalLM.from_pretrained(here, gguf_file=f"{name}.gguf", dtype=torch.float32).eval()
        tokens = torch.tensor([[1, 5, 9, 30, 200, 7, 11, 260]])
        with torch.no_grad():
            logits = read(tokens).logits
        print(name, logits.std(), (logits - model.eval()(tokens).logits).abs().max())
        safetensors.torch.save_file({"tokens": tokens.int(), "logits": logits}, here / f"{name}.safetensors")
        tokenizer = transformers.AutoTokenizer.from_pretrained(here, gguf_file=f"{name}.gguf")
        ids = {prompt: tokenizer(prompt, add_special_tokens=False)["input_ids"] for prompt in prompts}
        texts = {prompt: [ids, tokenizer.decode(ids)] for prompt, ids in ids.items()}
        (here / f"{name}.json").write_text(json.dumps(texts, ensure_ascii=False) + "\n")


sizes = {"hidden_size": 256, "intermediate_size": 256, "num_hidden_layers": 1, "num_attention_heads": 4, "max_position_embeddings": 64}
heads = {**sizes, "num_key_value_heads": 2, "tie_word_embeddings": True}
# The numbers are llama.cpp's LLAMA_FTYPE_MOSTLY_Q2_K, _Q4_K_M, _Q5_K_M, _Q8_0.
make("llama-Q4_K_M", 15, pieces, transformers.LlamaConfig(vocab_size=384, architectures=["LlamaForCausalLM"], **heads))
make("qwen2-Q2_K", 10, byte_level, transformers.Qwen2Config(vocab_size=320, architectures=["Qwen2ForCausalLM"], **heads))
