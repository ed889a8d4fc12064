"""Path patching at GPT-2 small's size, in TransformerLens: 15 tokens, every earlier head to one head's q, k and v.

As its users do it: for each sender a forward up to the receiver, in which every head and MLP is frozen but the sender, which is patched; then for
each of the receiver's inputs a forward that gets what it then read. Arguments: the receiver's layer and head. Prints one JSON line.
"""

import json
import sys

from models import GPT2_SMALL, random_model, random_tokens, timed_ms, torch, versions

POS = 15
layer, head = int(sys.argv[1]), int(sys.argv[2])

model = random_model(GPT2_SMALL, fold_ln=True, center_writing_weights=True, center_unembed=True)
clean, corrupted = random_tokens(model, 1, POS), random_tokens(model, 1, POS)
RECEIVERS = [f"blocks.{layer}.attn.hook_{name}" for name in "qkv"]


def frozen_to(values):
    def freeze(x, hook):
        return values[hook.name]

    return freeze


def paths():
    _, cache = model.run_with_cache(clean)
    _, other = model.run_with_cache(corrupted)
    frozen = [
        (f"blocks.{i}.{site}", frozen_to(cache)) for i in range(layer) for site in ("attn.hook_z", "hook_mlp_out")
    ]
    found = torch.zeros(layer, model.cfg.n_heads, 3)
    for sending in range(layer):
        for sender in range(model.cfg.n_heads):
            read = {}

            def send(z, hook):
                z = z.clone()
                z[:, :, sender] = other[hook.name][:, :, sender]
                return z

            def keep(x, hook):
                read[hook.name] = x[:, :, head].clone()

            hooks = [*frozen, (f"blocks.{sending}.attn.hook_z", send), *((name, keep) for name in RECEIVERS)]
            model.run_with_hooks(clean, fwd_hooks=hooks, stop_at_layer=layer + 1)
            for i, name in enumerate(RECEIVERS):

                def receive(x, hook):
                    x[:, :, head] = read[hook.name]
                    return x

                logits = model.run_with_hooks(clean, fwd_hooks=[(name, receive)])
                found[sending, sender, i] = logits[0, -1, 100] - logits[0, -1, 200]
    return found


with torch.no_grad():
    model(clean)
    took = timed_ms(paths)
print(json.dumps({"paths_ms": round(took), **versions()}))
