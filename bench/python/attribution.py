"""Attribution patching of every site at GPT-2 small's size, in TransformerLens: 15 tokens, as its demo does it.

A clean run that keeps every activation, a corrupted one that keeps them and, through backward hooks, their gradients; then
`(clean - corrupted) * gradient`, summed over what the place does not name, for each site of each layer. Prints one JSON line.
"""

import json
import statistics

import torch
from models import GPT2_SMALL, random_model, random_tokens, timed_ms, versions

POS, RUNS = 15, 9
# What is summed over, by the axes that are kept: [pos], [pos head], [head query key], [pos d_mlp]; batch always.
SITES = {
    "hook_resid_pre": (0, 2), "hook_resid_mid": (0, 2), "hook_attn_out": (0, 2), "hook_mlp_out": (0, 2),
    "attn.hook_z": (0, 3), "attn.hook_q": (0, 3), "attn.hook_k": (0, 3), "attn.hook_v": (0, 3),
    "attn.hook_pattern": (0,), "mlp.hook_post": (0,),
}

model = random_model(GPT2_SMALL, fold_ln=True, center_writing_weights=True, center_unembed=True)
clean, corrupted = random_tokens(model, 1, POS), random_tokens(model, 1, POS)
names = [f"blocks.{layer}.{site}" for layer in range(model.cfg.n_layers) for site in SITES]


def metric(logits):
    return logits[0, -1, 100] - logits[0, -1, 200]


def attribution():
    values, gradients = {}, {}

    def keep_value(value, hook):
        values[hook.name] = value.detach()

    def keep_gradient(gradient, hook):
        gradients[hook.name] = gradient.detach()

    with torch.no_grad():
        _, cache = model.run_with_cache(clean, names_filter=lambda name: name in wanted)
    hooks = [(name, keep_value) for name in names], [(name, keep_gradient) for name in names]
    with torch.enable_grad(), model.hooks(fwd_hooks=hooks[0], bwd_hooks=hooks[1]):
        metric(model(corrupted)).backward()
    return {
        site: torch.stack(
            [
                ((cache[name] - values[name]) * gradients[name]).sum(summed)
                for name in (f"blocks.{layer}.{site}" for layer in range(model.cfg.n_layers))
            ]
        )
        for site, summed in SITES.items()
    }


wanted = set(names)
for parameter in model.parameters():
    parameter.requires_grad_(False)
# Gradients flow from the embedding on; those of the weights are not asked for.
model.embed.W_E.requires_grad_(True)
attribution()
model(corrupted)
forward = [timed_ms(lambda: model(corrupted)) for _ in range(RUNS)]
sites = [timed_ms(attribution) for _ in range(RUNS)]
print(
    json.dumps(
        {
            "sites_ms": round(statistics.median(sites), 1),
            "sites_min_ms": round(min(sites), 1),
            "forward_ms": round(statistics.median(forward), 1),
            **versions(),
        }
    )
)
