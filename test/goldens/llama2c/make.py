"""Tiny models in llama2.c's formats, and what its own PyTorch model gives for them: python make.py LLAMA2_C (a checkout, 2024)"""

import io
import json
import pathlib
import sys

sys.path.insert(0, sys.argv[1])
import export
import sentencepiece
import torch
from model import ModelArgs, Transformer
from tokenizer import Tokenizer

here = pathlib.Path(__file__).parent
text = (here / "../../../README.md").read_text().lower()
with open(here / "tokenizer.model", "wb") as file:
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=io.BytesIO(text.encode()), model_writer=file, vocab_size=320, model_type="bpe", byte_fallback=True,
        normalization_rule_name="identity", remove_extra_whitespaces=False, minloglevel=2,
    )
tokenizer = Tokenizer(str(here / "tokenizer.model"))
tokenizer.export()
tokens = torch.tensor([[1, 5, 9, 30, 200, 7, 11, 260]])
prompts = ["the model of a text", "Größe 27 → ∑"]
expected = {"tokens": tokens.tolist(), "ids": {prompt: tokenizer.encode(prompt, True, False) for prompt in prompts}}


def make(name, write, tied):
    torch.manual_seed(0)
    model = Transformer(ModelArgs(dim=32, n_layers=2, n_heads=4, n_kv_heads=2, vocab_size=320, multiple_of=16, max_seq_len=24))
    if not tied:
        model.output.weight = torch.nn.Parameter(torch.zeros(320, 32))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, 1 if parameter.ndim == 1 else 0, 0.2)
    write(model, here / f"{name}.bin")
    if name.startswith("groups"):
        for parameter in model.parameters():
            if parameter.ndim == 2:
                whole, scale, _ = export.quantize_q80(parameter, 32)
                parameter.data = (whole.float() * scale[:, None]).view(parameter.shape)
    with torch.no_grad():
        logits = model.eval()(tokens, tokens)
        expected[name] = [[[round(x, 6) for x in position] for position in row] for row in logits.tolist()]


make("first", export.legacy_export, True)
make("first-untied", export.legacy_export, False)
make("second", export.version1_export, False)
make("groups", lambda model, path: export.version2_export(model, path, 32), True)
(here / "tokenizer.model").unlink()
(here / "expected.json").write_text(json.dumps(expected, ensure_ascii=False) + "\n")
