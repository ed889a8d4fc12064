"""What `scan diffuse-mlp` measures of a batch, in TransformerLens: in a loop that ablates one position of the batch at a time, as for any
model, and in two forwards for all positions, then in both ways sums over neurons.

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


def at_once():
    """[batch pos]: the loss, with every position's MLP zeroed."""
    return model.run_with_hooks(
        tokens, return_type="loss", loss_per_token=True, fwd_hooks=[(MID, lambda x, hook: torch.zeros_like(x))]
    )


def one_by_one():
    """The same, from a run for each position."""
    losses = []
    for pos in range(length - 1):

        def zero(x, hook):
            x[:, pos] = 0
            return x

        loss = model.run_with_hooks(tokens, return_type="loss", loss_per_token=True, fwd_hooks=[(MID, zero)])
        losses.append(loss[:, pos])
    return torch.stack(losses, dim=1)


def job(ablate):
    loss, cache = model.run_with_cache(
        tokens, return_type="loss", loss_per_token=True, names_filter=lambda name: name in (MID, POST, RESID)
    )
    ablated = ablate()
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
    found = [job(at_once)[0]]
    runs = [timed_ms(lambda: job(at_once)) for _ in range(RUNS)]
    loop = timed_ms(lambda: found.append(job(one_by_one)[0]))
    assert torch.allclose(*found, atol=1e-4), (found[0] - found[1]).abs().max()
print(
    json.dumps(
        {"median_ms": round(statistics.median(runs), 1), "min_ms": round(min(runs), 1), "loop_ms": round(loop, 1), **versions()}
    )
)
