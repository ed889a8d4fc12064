"""A training step of a dictionary of 256 to 4,096 features on 4,096 tokens, by SAELens' trainer.

    python dictionary_step.py standard|topk [steps]

Prints one JSON line: milliseconds, and the most memory that the process held.
"""

import json
import resource
import statistics
import sys
import time

try:
    import sae_lens
    import torch
    from sae_lens.config import LoggingConfig, SAETrainerConfig
    from sae_lens.saes.standard_sae import StandardTrainingSAE, StandardTrainingSAEConfig
    from sae_lens.saes.topk_sae import TopKTrainingSAE, TopKTrainingSAEConfig
    from sae_lens.training.sae_trainer import SAETrainer
except ImportError as error:
    print(json.dumps({"error": f"SAELens cannot be imported: {error}"}))
    sys.exit(0)

D_IN, D_SAE, TOKENS = 256, 4096, 4096
KIND, STEPS = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 7

torch.manual_seed(0)
if KIND == "topk":
    sae = TopKTrainingSAE(TopKTrainingSAEConfig(d_in=D_IN, d_sae=D_SAE, k=32, device="cpu"))
else:
    sae = StandardTrainingSAE(StandardTrainingSAEConfig(d_in=D_IN, d_sae=D_SAE, device="cpu"))
settings = SAETrainerConfig(
    n_checkpoints=0,
    checkpoint_path=None,
    save_final_checkpoint=False,
    total_training_samples=1000 * TOKENS,
    device="cpu",
    autocast=False,
    lr=3e-4,
    lr_end=3e-5,
    lr_scheduler_name="constant",
    lr_warm_up_steps=0,
    adam_beta1=0.9,
    adam_beta2=0.999,
    lr_decay_steps=0,
    n_restart_cycles=1,
    train_batch_size_samples=TOKENS,
    dead_feature_window=1000,
    feature_sampling_window=2000,
    logger=LoggingConfig(log_to_wandb=False),
)
trainer = SAETrainer(cfg=settings, sae=sae, data_provider=iter([]))
x = torch.randn(TOKENS, D_IN)
times = []
for step in range(STEPS + 2):
    start = time.perf_counter()
    trainer._train_step(sae=sae, sae_in=x)
    trainer.n_training_steps += 1
    if step >= 2:
        times.append(1000 * (time.perf_counter() - start))
print(
    json.dumps(
        {
            "median_ms": round(statistics.median(times), 1),
            "min_ms": round(min(times), 1),
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "sae_lens": sae_lens.__version__,
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
        }
    )
)
