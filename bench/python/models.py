"""The models that the Python benchmarks run: true sizes, random weights, processed as TransformerLens users do.

Every script here prints one JSON line, `{"error": ...}` (and exit code 0) where TransformerLens cannot be imported.
"""

import json
import sys
import time

try:
    import torch
    import transformer_lens
    from transformer_lens import HookedTransformer, HookedTransformerConfig
except ImportError as error:
    print(json.dumps({"error": f"TransformerLens cannot be imported: {error}"}))
    sys.exit(0)

torch.set_grad_enabled(False)
torch.manual_seed(0)

SOLU_1L = dict(
    n_layers=1, d_model=512, n_heads=8, d_head=64, d_mlp=2048, d_vocab=48262, n_ctx=1024, act_fn="solu_ln",
    normalization_type="LN", eps=1e-5,
)
GPT2_SMALL = dict(
    n_layers=12, d_model=768, n_heads=12, d_head=64, d_mlp=3072, d_vocab=50257, n_ctx=1024, act_fn="gelu_new",
    normalization_type="LN", eps=1e-5,
)


def random_model(config: dict, **processing) -> HookedTransformer:
    """A model of this configuration with random weights, processed by `process_weights_`."""
    model = HookedTransformer(HookedTransformerConfig(**config, seed=0))
    model.process_weights_(**processing)
    return model


def random_tokens(model: HookedTransformer, batch: int, pos: int) -> torch.Tensor:
    return torch.randint(0, model.cfg.d_vocab, (batch, pos))


def timed_ms(work) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def versions() -> dict:
    """PyTorch's version and threads, and TransformerLens' version, or "source" where it is not an installed package."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        lens = version("transformer_lens")
    except PackageNotFoundError:
        lens = "source"
    return {"torch": torch.__version__, "threads": torch.get_num_threads(), "transformer_lens": lens}
