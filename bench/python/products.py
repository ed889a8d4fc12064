"""Products with a weight in PyTorch, float32. Prints one JSON line: for each size the median of a product in milliseconds."""

import json
import statistics
import sys
import time

try:
    import torch
except ImportError as error:
    print(json.dumps({"error": f"PyTorch cannot be imported: {error}"}))
    sys.exit(0)

torch.set_grad_enabled(False)
asked = json.loads(sys.argv[1])
medians = []
for m, k, n in asked["sizes"]:
    count = max(1, int(asked["numbers"] // (k * n)))
    x, weights = torch.randn(m, k), [torch.randn(k, n) for _ in range(count)]
    times = []
    for turn in range(10):
        start = time.perf_counter()
        for weight in weights:
            x @ weight
        if turn > 0:
            times.append((time.perf_counter() - start) * 1000 / count)
    medians.append(round(statistics.median(times), 3))
print(json.dumps({"median_ms": medians, "torch": torch.__version__, "threads": torch.get_num_threads()}))
