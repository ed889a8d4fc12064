"""Writes test/goldens/hf/t5_gated-tiny: a random T5 of version 1.1's kind, and what transformers 5.18 gives for it.

    python test/lens/t5-gated-golden.py

Gated MLPs, an unembedding of its own without a scale, heads that are not d_model wide together, a decoder with fewer layers.
"""
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import T5Config, T5ForConditionalGeneration

folder = Path(__file__).parent.parent / "goldens" / "hf" / "t5_gated-tiny"
torch.manual_seed(11)
config = T5Config(
    vocab_size=97, d_model=32, d_kv=12, d_ff=40, num_layers=2, num_decoder_layers=1, num_heads=3,
    relative_attention_num_buckets=8, relative_attention_max_distance=16, feed_forward_proj="gated-gelu",
    tie_word_embeddings=False, decoder_start_token_id=0,
)
config._attn_implementation = "eager"
model = T5ForConditionalGeneration(config).eval()
with torch.no_grad():
    model.lm_head.weight = torch.nn.Parameter(torch.empty(97, 32))
    for parameter in model.parameters():
        parameter.normal_(0, 0.3)
    for name, parameter in model.named_parameters():
        if name.endswith("layer_norm.weight"):
            parameter.add_(1)
weights = {name: x.clone() for name, x in model.state_dict().items() if "embed_tokens" not in name}
folder.mkdir(parents=True, exist_ok=True)
save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
# As files before transformers 5 have it: the fields that follow from others are not in them.
derived = {"scale_decoder_outputs", "dense_act_fn", "is_gated_act"}
fields = {name: x for name, x in model.config.to_dict().items() if name not in derived and not name.startswith("_")}
(folder / "config.json").write_text(json.dumps({**fields, "tie_word_embeddings": False}, indent=2) + "\n")

tokens = torch.randint(2, 97, (2, 30))
decoder_tokens = torch.cat([torch.zeros(2, 1, dtype=torch.long), torch.randint(2, 97, (2, 25))], dim=1)
mask = torch.ones_like(tokens)
mask[1, 21:] = 0
expected = {"tokens": tokens, "decoder_tokens": decoder_tokens, "right_padded.attention_mask": mask}
with torch.no_grad():
    out = model(
        input_ids=tokens, decoder_input_ids=decoder_tokens, output_attentions=True, output_hidden_states=True
    )
    expected["logits"] = out.logits
    for name, values in {
        "hidden_states": out.encoder_hidden_states, "attentions": out.encoder_attentions,
        "decoder_hidden_states": out.decoder_hidden_states, "decoder_attentions": out.decoder_attentions,
        "cross_attentions": out.cross_attentions,
    }.items():
        for i, value in enumerate(values):
            expected[f"{name}.{i}"] = value
    padded = model(input_ids=tokens, attention_mask=mask, decoder_input_ids=decoder_tokens)
    expected["right_padded.logits_1"] = padded.logits[1]
    expected["greedy_8"] = model.generate(
        tokens[:1], attention_mask=torch.ones_like(tokens[:1]), max_new_tokens=8, do_sample=False, eos_token_id=None
    )
save_file({name: x.contiguous() for name, x in expected.items()}, folder / "expected.safetensors")
print(expected["greedy_8"].tolist())
