"""An attribution graph by circuit-tracer on TransformerLens: GPT-2 small's size, 6,144 features a layer of which 1 % are active, 15 tokens.

    python attribution_graph.py [runs]

Prints one JSON line: seconds, active features, and the most memory that the process held.
"""

import json
import resource
import statistics
import sys
import time
from types import SimpleNamespace

try:
    import torch
    from circuit_tracer.attribution.attribute_transformerlens import attribute
    from circuit_tracer.replacement_model.replacement_model_transformerlens import TransformerLensReplacementModel
    from circuit_tracer.transcoder.single_layer_transcoder import SingleLayerTranscoder, TranscoderSet
    from transformer_lens import HookedTransformerConfig
except ImportError as error:
    print(json.dumps({"error": f"circuit-tracer cannot be imported: {error}"}))
    sys.exit(0)

LAYERS, D_MODEL, FEATURES, POS, NODES = 12, 768, 6144, 15, 1000
RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 3

torch.manual_seed(0)
config = HookedTransformerConfig(
    n_layers=LAYERS, d_model=D_MODEL, n_heads=12, d_head=64, d_mlp=3072, d_vocab=50257, n_ctx=1024, act_fn="gelu_new",
    normalization_type="LN", eps=1e-5, seed=0, model_name="random", device="cpu",
)  # fmt: skip
layers = {}
for layer in range(LAYERS):
    one = SingleLayerTranscoder(D_MODEL, FEATURES, torch.nn.functional.relu, layer, device="cpu", dtype=torch.float32)
    with torch.no_grad():
        one.W_enc.normal_(0, D_MODEL**-0.5)
        one.b_enc.fill_(-2.33)
        one.W_dec.normal_(0, 0.01)
    layers[layer] = one
model = TransformerLensReplacementModel.from_config(config, TranscoderSet(layers, "ln2.hook_normalized", "hook_mlp_out"))
# Of a tokenizer little is asked for: the special tokens, of which the first token has to be one.
model.tokenizer = SimpleNamespace(all_special_ids=[0], bos_token_id=0, padding_side="right", vocab_size=50257, decode=str)
tokens = torch.randint(1, config.d_vocab, (POS,))
tokens[0] = 0
times = []
for run in range(RUNS + 1):
    start = time.perf_counter()
    graph = attribute(tokens, model, max_feature_nodes=NODES, batch_size=512)
    if run >= 1:
        times.append(time.perf_counter() - start)
print(
    json.dumps(
        {
            "median_s": round(statistics.median(times), 2),
            "min_s": round(min(times), 2),
            "active_features": len(graph.active_features),
            "selected_features": len(graph.selected_features),
            "logits": len(graph.logit_probabilities),
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
        }
    )
)
