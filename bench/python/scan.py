"""What `scan diffuse-mlp` measures of a batch, in TransformerLens: two forwards for all positions, then sums over neurons.

The MLP is in the last layer, so one run with `hook_mid` zeroed everywhere has every position's ablation. Prints one JSON line.
"""

import json
import statistics
import sys

from models import SOLU_1L, random_model, random_tokens, timed_ms, torch, versions

MID, POST, RESID = "blocks.0.mlp.hook_mid", "blocks.0.mlp.hook_post", "blocks.0.hook_resid_post"
RUNS = 5
batch, length = int(sys.argv[1]), int(sys.argv[2])

model = random_model(
    SOLU_1L, fold_ln=True, center_writing_weights=True, center_unembed=True, refactor_factored_attn_matrices=True
)
tokens = random_tokens(model, batch, length)


def job():
    loss, cache = model.run_with_cache(
        tokens, return_type="loss", loss_per_token=True, names_filter=lambda name: name in (MID, POST, RESID)
    )
    ablated = model.run_with_hooks(
        tokens, return_type="loss", loss_per_token=True, fwd_hooks=[(MID, lambda x, hook: torch.zeros_like(x))]
    )
    mid, post, resid = (cache[name][:, :-1].flatten(0, 1) for name in (MID, POST, RESID))
    scale = (resid.var(-1, correction=0, keepdim=True) + model.cfg.eps).sqrt()
    targets = tokens[:, 1:].flatten()
    directions = model.W_U[:, targets] - model.W_U.mean(dim=-1, keepdim=True)
    effect = (model.W_out[0] @ directions).T / scale
    each = post * effect
    sizes = each.abs()
    shuffled = (post * effect[:, torch.randperm(effect.shape[-1])]).abs()
    total = sizes.sum(-1)
    outlier = mid.max(-1).values - mid.mean(-1)
    change = (ablated - loss).flatten()
    return [
        change,
        outlier,
        change / outlier,
        each.sum(-1),
        sizes.max(-1).values / total,
        shuffled.max(-1).values / shuffled.sum(-1),
        total**2 / (each**2).sum(-1),
        sizes.argmax(-1),
    ]


with torch.no_grad():
    job()
    runs = [timed_ms(job) for _ in range(RUNS)]
print(json.dumps({"median_ms": round(statistics.median(runs), 1), "min_ms": round(min(runs), 1), **versions()}))
