"""LoRA adapters of tiny models of ../hf, as peft 0.21 writes them, and what it gives for them: python make.py

NAME is an adapter's folder, NAME.safetensors the tokens, and the logits of the model that merge_and_unload returns."""

import json
import pathlib
import shutil

import peft
import safetensors.torch
import torch
import transformers

here = pathlib.Path(__file__).parent


def make(name, base, **settings):
    torch.manual_seed(0)
    folder = here.parent / "hf" / f"{base}-tiny"
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    adapted = peft.get_peft_model(model, peft.LoraConfig(task_type="CAUSAL_LM", **settings))
    for parameter_name, parameter in adapted.named_parameters():
        if parameter.requires_grad:
            if "magnitude" in parameter_name:
                parameter.data *= torch.empty_like(parameter).uniform_(0.5, 1.5)
            else:
                parameter.data += torch.empty_like(parameter).normal_(0, 0.1)
    shutil.rmtree(here / name, ignore_errors=True)
    adapted.save_pretrained(here / name)
    (here / name / "README.md").unlink(missing_ok=True)
    config = json.loads((here / name / "adapter_config.json").read_text())
    # As if it had been made from a folder beside it.
    config["base_model_name_or_path"] = f"{base}-tiny"
    (here / name / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")
    merged = adapted.eval().merge_and_unload()
    tokens = torch.randint(0, 97, (2, 12))
    with torch.no_grad():
        logits = merged(tokens).logits
        before = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()(tokens).logits
    print(name, (logits - before).abs().max().item(), list(safetensors.torch.load_file(here / name / "adapter_model.safetensors"))[:40:5])
    safetensors.torch.save_file({"tokens": tokens.int(), "logits": logits}, here / f"{name}.safetensors")


make("llama-plain", "llama", r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"])
make(
    "llama-patterns", "llama", r=4, lora_alpha=8, target_modules="all-linear", use_rslora=True,
    rank_pattern={"v_proj": 2, "^model.layers.0.mlp.gate_proj": 3}, alpha_pattern={r"layers\.1\.self_attn\.q_proj": 3, "down_proj": 20},
)
make("llama-dora", "llama", r=4, lora_alpha=8, target_modules=["q_proj", "o_proj", "up_proj"], use_dora=True)
make("llama-saved", "llama", r=4, lora_alpha=8, target_modules=["embed_tokens", "q_proj"], modules_to_save=["lm_head", "norm"])
make("gpt2-turned", "gpt2", r=4, lora_alpha=8, target_modules=["c_attn", "c_proj", "c_fc"], bias="lora_only")
make("gpt2-dora", "gpt2", r=4, lora_alpha=8, target_modules=["c_attn", "c_fc"], use_dora=True)
