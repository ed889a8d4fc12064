"""A model of `families.json` in transformers: forward, forward with every hidden state, and greedy generation with its cache.

Prints one JSON line of times in milliseconds. Random weights, float32, eager attention, as transformers runs them by default on a processor.
"""

import json
import statistics
import sys
import time
from pathlib import Path

try:
    import torch
    import transformers
    from transformers import AutoConfig, AutoModelForCausalLM
except ImportError as error:
    print(json.dumps({"error": f"transformers cannot be imported: {error}"}))
    sys.exit(0)

LENGTHS, PROMPT, NEW_TOKENS, RUNS = [8, 64, 256], 16, 24, 5
torch.manual_seed(0)
torch.set_grad_enabled(False)
fields = json.loads((Path(__file__).parent.parent / "families.json").read_text())[sys.argv[1]]
config = AutoConfig.for_model(**fields)
model = AutoModelForCausalLM.from_config(config).float().eval()


def median_ms(work):
    work()
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return round(statistics.median(times), 1), round(min(times), 1)


rows = {}
for pos in LENGTHS:
    tokens = torch.randint(0, config.vocab_size, (1, pos))
    forward, least = median_ms(lambda: model(tokens, use_cache=False))
    hidden, _ = median_ms(lambda: model(tokens, use_cache=False, output_hidden_states=True))
    rows[pos] = {"forward_ms": forward, "forward_min_ms": least, "hidden_states_ms": hidden}

prompt = torch.randint(0, config.vocab_size, (1, PROMPT))


def per_token():
    options = dict(do_sample=False, eos_token_id=None, pad_token_id=0, attention_mask=torch.ones_like(prompt))
    start = time.perf_counter()
    model.generate(prompt, max_new_tokens=2, min_new_tokens=2, **options)
    two = time.perf_counter()
    model.generate(prompt, max_new_tokens=NEW_TOKENS, min_new_tokens=NEW_TOKENS, **options)
    return ((time.perf_counter() - two) - (two - start)) / (NEW_TOKENS - 2) * 1000


per_token()
token = statistics.median(per_token() for _ in range(RUNS))
print(
    json.dumps(
        {
            "forward": rows,
            "token_ms": round(token, 1),
            "tokens_per_second": round(1000 / token, 1),
            "transformers": transformers.__version__,
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
        }
    )
)
