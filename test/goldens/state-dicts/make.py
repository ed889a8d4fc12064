"""TransformerLens' own state dicts beside its cfg.to_dict(): python make.py (TransformerLens 2.18, PyTorch 2.13)"""

import json
import pathlib

import torch
from transformer_lens import HookedTransformer, HookedTransformerConfig

here = pathlib.Path(__file__).parent
sizes = {"n_layers": 2, "d_model": 32, "n_ctx": 32, "d_head": 8, "n_heads": 4, "d_mlp": 80, "d_vocab": 97, "seed": 1}
llama = {"act_fn": "silu", "normalization_type": "RMS", "final_rms": True, "gated_mlp": True}
llama |= {"positional_embedding_type": "rotary", "rotary_dim": 8, "n_key_value_heads": 2}
cases = {
    "llama_gqa": {**llama, "rotary_adjacent_pairs": False},
    "qknorm": {**llama, "use_qk_norm": True},
    "gptj": {
        "act_fn": "gelu_new", "normalization_type": "LN", "positional_embedding_type": "rotary", "rotary_dim": 4,
        "rotary_adjacent_pairs": True, "parallel_attn_mlp": True,
    },
}
for name, settings in cases.items():
    torch.manual_seed(0)
    model = HookedTransformer(HookedTransformerConfig(**sizes, **settings))
    for parameter in model.parameters():
        parameter.data.add_(torch.randn_like(parameter) * 0.2)
    tokens = torch.randint(0, 97, (2, 12))
    with torch.no_grad():
        logits = model(tokens)
    folder = here / name
    folder.mkdir(exist_ok=True)
    torch.save(model.state_dict(), folder / "model.pth")
    json.dump(model.cfg.to_dict(), (folder / "config.json").open("w"), default=str)
    json.dump({"tokens": tokens.tolist(), "logits": logits.tolist()}, (folder / "expected.json").open("w"))
