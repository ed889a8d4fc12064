"""Writes goldens/encoder.safetensors and goldens/encoder_decoder.safetensors: every value that TransformerLens 2.18's
`HookedEncoder` and `HookedEncoderDecoder` cache for the tiny BERT and T5 of goldens/hf.

Run it where TransformerLens, transformers and safetensors can be imported: python test/lens/encoders-golden.py
The decoder has one token: with more, TransformerLens' decoder sees later ones and has the encoder's buckets, and differs from T5.
"""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformer_lens import HookedEncoder, HookedEncoderDecoder, HookedTransformerConfig
from transformer_lens.pretrained.weight_conversions import convert_bert_weights, convert_t5_weights
from transformers import BertForPreTraining, T5ForConditionalGeneration

goldens = Path(__file__).parent.parent / "goldens"
SIZES = {"d_model": 32, "d_head": 8, "n_heads": 4, "d_mlp": 80, "n_layers": 2, "d_vocab": 97, "device": "cpu"}


def save(name, logits, cache, inputs):
    values = {f"cache.{key}": value for key, value in cache.items()}
    arrays = {**values, "logits": logits, **inputs}
    save_file({key: x.detach().clone().contiguous() for key, x in arrays.items()}, goldens / f"{name}.safetensors")


def bert():
    folder = goldens / "hf" / "bert-tiny"
    stored = BertForPreTraining.from_pretrained(folder).eval()
    eps = stored.config.layer_norm_eps
    cfg = {**SIZES, "n_ctx": 32, "eps": eps, "act_fn": "gelu", "attention_dir": "bidirectional"}
    cfg = HookedTransformerConfig.from_dict(cfg)
    model = HookedEncoder(cfg)
    model.load_state_dict(convert_bert_weights(stored, cfg), strict=False)
    given = load_file(folder / "expected.safetensors")
    inputs = {"tokens": given["tokens"][:1], "token_type_ids": given["token_type_ids"][:1]}
    save("encoder", *model.run_with_cache(inputs["tokens"], token_type_ids=inputs["token_type_ids"]), inputs)


def t5():
    folder = goldens / "hf" / "t5-tiny"
    stored = T5ForConditionalGeneration.from_pretrained(folder).eval()
    cfg = {
        **SIZES, "n_ctx": 32, "eps": stored.config.layer_norm_epsilon, "act_fn": "relu", "normalization_type": "RMS",
        "positional_embedding_type": "relative_positional_bias", "relative_attention_max_distance": 16,
        "relative_attention_num_buckets": 8, "decoder_start_token_id": 0, "attention_dir": "bidirectional",
        "use_attn_scale": False, "tie_word_embeddings": True,
    }
    cfg = HookedTransformerConfig.from_dict(cfg)
    model = HookedEncoderDecoder(cfg)
    model.load_state_dict(convert_t5_weights(stored, cfg), strict=False)
    given = load_file(folder / "expected.safetensors")
    inputs = {"tokens": given["tokens"][:1], "decoder_tokens": given["decoder_tokens"][:1, 1:2]}
    save("encoder_decoder", *model.run_with_cache(inputs["tokens"], decoder_input=inputs["decoder_tokens"]), inputs)


with torch.no_grad():
    bert()
    t5()
