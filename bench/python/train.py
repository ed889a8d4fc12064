"""A training step of the bundled model's configuration in PyTorch: forward, backward, clipping, AdamW; 32 x 256 tokens.

The model is written out in plain PyTorch, with its fused layer norms and cross-entropy and eager float32 throughout. Prints
one JSON line: tokens a second, and the most memory that the process held.
"""

import json
import resource
import statistics
import sys
import time

try:
    import torch
    import torch.nn.functional as F
except ImportError as error:
    print(json.dumps({"error": f"PyTorch cannot be imported: {error}"}))
    sys.exit(0)

BATCH, POS, STEPS = 32, 256, int(sys.argv[1]) if len(sys.argv) > 1 else 7
D, HEADS, D_HEAD, MLP, VOCAB = 256, 4, 64, 1024, 4096


class SoluModel(torch.nn.Module):
    def __init__(self):
        super().__init__()
        matrix = lambda *shape: torch.nn.Parameter(torch.randn(*shape) * 0.05)
        vector = lambda n, value=0.0: torch.nn.Parameter(torch.full((n,), value))
        self.embed, self.pos_embed = matrix(VOCAB, D), matrix(POS, D)
        self.qkv = torch.nn.ParameterList([matrix(D, D) for _ in range(3)])
        self.qkv_bias = torch.nn.ParameterList([vector(D) for _ in range(3)])
        self.out, self.out_bias = matrix(D, D), vector(D)
        self.w_in, self.b_in, self.w_out, self.b_out = matrix(D, MLP), vector(MLP), matrix(MLP, D), vector(D)
        self.norms = torch.nn.ParameterList([vector(n, 1.0) for n in (D, D, MLP, D)])
        self.norm_biases = torch.nn.ParameterList([vector(n) for n in (D, D, MLP, D)])
        self.unembed, self.unembed_bias = matrix(D, VOCAB), vector(VOCAB)
        self.register_buffer("mask", torch.tril(torch.ones(POS, POS, dtype=torch.bool)))

    def norm(self, x, i):
        return F.layer_norm(x, x.shape[-1:], self.norms[i], self.norm_biases[i], 1e-5)

    def forward(self, tokens):
        x = self.embed[tokens] + self.pos_embed
        normed = self.norm(x, 0)
        heads = lambda w, b: (normed @ w + b).view(BATCH, POS, HEADS, D_HEAD).transpose(1, 2)
        q, k, v = (heads(w, b) for w, b in zip(self.qkv, self.qkv_bias))
        scores = (q @ k.transpose(-1, -2)) / D_HEAD**0.5
        pattern = scores.masked_fill(~self.mask, -torch.inf).softmax(-1)
        z = (pattern @ v).transpose(1, 2).reshape(BATCH, POS, HEADS * D_HEAD)
        x = x + z @ self.out + self.out_bias
        pre = self.norm(x, 1) @ self.w_in + self.b_in
        x = x + self.norm(pre * pre.softmax(-1), 2) @ self.w_out + self.b_out
        return self.norm(x, 3) @ self.unembed + self.unembed_bias


torch.manual_seed(0)
model = SoluModel()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=0.05)
times = []
for step in range(STEPS + 2):
    tokens = torch.randint(0, VOCAB, (BATCH, POS))
    start = time.perf_counter()
    logits = model(tokens)
    loss = F.cross_entropy(logits[:, :-1].reshape(-1, VOCAB), tokens[:, 1:].reshape(-1))
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    if step >= 2:
        times.append(time.perf_counter() - start)
print(
    json.dumps(
        {
            "tokens_per_second": round(BATCH * POS / statistics.median(times)),
            "median_ms": round(1000 * statistics.median(times), 1),
            "min_ms": round(1000 * min(times), 1),
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
        }
    )
)
