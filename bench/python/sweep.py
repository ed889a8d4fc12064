"""Activation patching at GPT-2 small's size, in TransformerLens: 15 tokens, each layer by each position, and each head.

One forward per patched place. Each sweep is run once (they take about ten seconds). Prints one JSON line.
"""

import json
import statistics

from models import GPT2_SMALL, random_model, random_tokens, timed_ms, versions
from transformer_lens import patching

POS = 15

model = random_model(GPT2_SMALL, fold_ln=True, center_writing_weights=True, center_unembed=True)
clean, corrupted = random_tokens(model, 1, POS), random_tokens(model, 1, POS)
_, cache = model.run_with_cache(clean)


def metric(logits):
    return logits[0, -1, 0] - logits[0, -1, 1]


model(corrupted)
forward = [timed_ms(lambda: model(corrupted)) for _ in range(11)]
resid_pre = timed_ms(lambda: patching.get_act_patch_resid_pre(model, corrupted, cache, metric))
heads = timed_ms(lambda: patching.get_act_patch_attn_head_out_all_pos(model, corrupted, cache, metric))
print(
    json.dumps(
        {
            "forward_ms": round(statistics.median(forward), 1),
            "forward_min_ms": round(min(forward), 1),
            "resid_pre_ms": round(resid_pre),
            "attn_head_out_all_pos_ms": round(heads),
            **versions(),
        }
    )
)
