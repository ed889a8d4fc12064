"""`forward` and `run_with_cache` at solu-1l's size, in TransformerLens. Prints one JSON line of times in milliseconds."""

import json
import statistics

from models import SOLU_1L, random_model, random_tokens, timed_ms, versions

SIZES = [((1, 8), 41), ((1, 64), 31), ((8, 64), 11), ((32, 128), 5)]

model = random_model(
    SOLU_1L, fold_ln=True, center_writing_weights=True, center_unembed=True, refactor_factored_attn_matrices=True
)
rows = []
for (batch, pos), repeats in SIZES:
    tokens = random_tokens(model, batch, pos)
    kinds = {"forward": lambda: model(tokens), "run_with_cache": lambda: model.run_with_cache(tokens)}
    times = {kind: [] for kind in kinds}
    for turn in range(repeats + 1):
        for kind, work in kinds.items():
            ms = timed_ms(work)
            if turn > 0:
                times[kind].append(ms)
    row = {"batch": batch, "pos": pos}
    for kind, ms in times.items():
        row[f"{kind}_ms"] = round(statistics.median(ms), 2)
        row[f"{kind}_min_ms"] = round(min(ms), 2)
    rows.append(row)
print(json.dumps({"sizes": rows, **versions()}))
