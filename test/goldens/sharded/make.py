"""../hf/llama-tiny in several files, as transformers 5.18 writes it, and as older versions did with torch.save: python make.py"""

import json
import pathlib

import safetensors.torch
import torch
import transformers

here = pathlib.Path(__file__).parent
model = transformers.AutoModelForCausalLM.from_pretrained(here.parent / "hf" / "llama-tiny", dtype=torch.float32)
model.save_pretrained(here / "safetensors", max_shard_size="40KB")
(here / "safetensors" / "generation_config.json").unlink(missing_ok=True)
index = json.loads((here / "safetensors" / "model.safetensors.index.json").read_text())
(here / "bin").mkdir(exist_ok=True)
(here / "bin" / "config.json").write_bytes((here / "safetensors" / "config.json").read_bytes())
for file in sorted(set(index["weight_map"].values())):
    shard = safetensors.torch.load_file(here / "safetensors" / file)
    torch.save(shard, here / "bin" / file.replace("model", "pytorch_model").replace(".safetensors", ".bin"))
names = {k: v.replace("model", "pytorch_model").replace(".safetensors", ".bin") for k, v in index["weight_map"].items()}
(here / "bin" / "pytorch_model.bin.index.json").write_text(json.dumps({**index, "weight_map": names}, indent=2) + "\n")
