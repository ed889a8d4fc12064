"""Writes head-detector.json: what TransformerLens 2.18's `detect_head` gives for the golden model solu_ln_2l.

Run it where TransformerLens, PyTorch and safetensors can be imported: python test/measures/head-detector-golden.py
The model has no tokenizer, so `to_tokens` hands on token ids. Run with a cache that is thrown away each time, since
`detect_head` changes the patterns that it excludes from.
"""

import json
from itertools import product
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformer_lens import HookedTransformer, HookedTransformerConfig
from transformer_lens.head_detector import HEAD_NAMES, detect_head

here = Path(__file__).parent
goldens = here.parent / "goldens"
NAME = "solu_ln_2l"
SEQUENCES = [[1, 5, 9, 5, 9, 13, 5, 9], [1, 20, 21, 22, 20, 21, 22, 23], [1, 7, 7, 30]]
# Lower triangular, and not of ones and zeros alone.
CUSTOM = torch.tril(torch.arange(64).reshape(8, 8) % 5 / 4.0)

row = json.loads((goldens / "index.json").read_text())["configs"][NAME]
config = {k: v for k, v in row["config"].items() if k in HookedTransformerConfig.__dataclass_fields__}
model = HookedTransformer(HookedTransformerConfig.from_dict({**config, "device": "cpu"}))
weights = load_file(goldens / f"{NAME}.safetensors")
state = {k.removeprefix("weights."): v for k, v in weights.items() if k.startswith("weights.")}
missing = model.load_state_dict(state, strict=False).missing_keys
assert all("mask" in k or "IGNORE" in k for k in missing), missing
model.to_tokens = lambda ids: ids

cases = []
for (at, ids), name, measure, bos, current in product(
    enumerate(SEQUENCES), HEAD_NAMES, ["mul", "abs"], [False, True], [False, True]
):
    options = dict(exclude_bos=bos, exclude_current_token=current, error_measure=measure)
    scores = detect_head(model, torch.tensor([ids]), name, **options)
    cases.append({"sequence": at, "pattern": name, **options, "scores": scores.tolist()})
custom = {m: detect_head(model, torch.tensor([SEQUENCES[0]]), CUSTOM, error_measure=m).tolist() for m in ["mul", "abs"]}
some = detect_head(model, torch.tensor([SEQUENCES[0]]), "induction_head", heads=[(0, 1), (1, 3)]).tolist()

written = {"model": NAME, "sequences": SEQUENCES, "cases": cases, "custom_pattern": CUSTOM.tolist(), "custom": custom, "some_heads": some}
(here / "head-detector.json").write_text(json.dumps(written) + "\n")
