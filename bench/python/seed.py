"""The notebook's loop at solu-1l's size, in TransformerLens: one forward per position whose MLP activations are zeroed.

For each of the 35 prompts: the clean loss, a run that captures `hook_mid` and scores its outliers, then one run per
position with that position's `hook_mid` set to zero. 305 forwards in all. Prints one JSON line.
"""

import json
import statistics
from functools import partial
from pathlib import Path

from models import SOLU_1L, random_model, random_tokens, timed_ms, torch, versions

HOOK = "blocks.0.mlp.hook_mid"
RUNS = 5

golden = Path(__file__).parents[2] / "test" / "goldens" / "seed_run.json"
counts = json.loads(golden.read_text())["solu_1l_token_counts"]
model = random_model(
    SOLU_1L, fold_ln=True, center_writing_weights=True, center_unembed=True, refactor_factored_attn_matrices=True
)
prompts = [random_tokens(model, 1, count) for count in counts]


def zero_position(pos, x, hook):
    x[:, pos, :] = 0
    return x


def one_prompt(tokens):
    scores = {}

    def outlier_score(x, hook):
        scores["outlier"] = (x.max(dim=-1).values - x.mean(dim=-1)).squeeze(0)
        return x

    clean = model(tokens, return_type="loss")
    model.run_with_hooks(tokens, fwd_hooks=[(HOOK, outlier_score)])
    ablated = [
        model.run_with_hooks(tokens, return_type="loss", fwd_hooks=[(HOOK, partial(zero_position, pos))])
        for pos in range(tokens.size(1))
    ]
    return (torch.tensor(ablated) - clean) / scores["outlier"]


def job():
    return torch.cat([one_prompt(tokens) for tokens in prompts])


job()
runs = [timed_ms(job) for _ in range(RUNS)]
print(
    json.dumps(
        {
            "median_ms": round(statistics.median(runs), 1),
            "min_ms": round(min(runs), 1),
            "runs": [round(run, 1) for run in runs],
            "forwards": sum(counts) + 2 * len(counts),
            **versions(),
        }
    )
)
