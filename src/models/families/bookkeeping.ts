/**
 * Fields of a `config.json` that cannot change a language model's logits. Two generations of `PretrainedConfig` and
 * `GenerationConfig` (transformers 2 to 5), training scripts and the hub wrote hundreds of them; there are few kinds, and a
 * field's name says its kind. What no rule here knows is refused by the families, unless it is empty.
 */

import { ConfigError } from "../../tensor/errors.ts";
import { shown } from "../../tensor/show.ts";

/** What a field is about, and the names of such fields. Each pattern is matched against the whole name. */
const RULES: readonly { readonly about: string; readonly names: RegExp }[] = [
  {
    about: "how the file came about",
    names:
      /_(name_or_path|from_model_config|attn_implementation\w*|\w*commit_hash|num_labels|auto_class)|\w+_version|architectures|auto_map/,
  },
  { about: "the folder that it is in", names: /files/ },
  {
    about: "special tokens",
    names: /(\w+_)?token_ids?|predict_special_tokens|(mask|sep|cls|unk|pad|bos|eos)_token|prefix/,
  },
  { about: "the tokenizer", names: /tokenizer_(class|file|type|config|revision)|add_(bos|eos)_token|add_prefix_space/ },
  {
    about: "the search for a continuation",
    names:
      /do_sample|temperature|num_beam\w*|num_return_sequences|early_stopping|top_[hkp]|min_p|typical_p|penalty_alpha|\w+_penalty|(encoder_)?no_repeat_ngram_size|(epsilon|eta)_cutoff|guidance_scale|max_time|stop_strings|constraints|dola_layers|low_memory|token_healing/,
  },
  {
    about: "which tokens a continuation may have",
    names:
      /(bad|force)_words_ids|(begin_)?suppress_tokens|sequence_bias|renormalize_logits|remove_invalid_values|watermarking_config/,
  },
  {
    about: "how long a continuation is",
    names: /(max|min)_length|(max|min)_new_tokens|max_cache_len|prefill_chunk_size/,
  },
  {
    about: "assisted generation",
    names:
      /is_assistant|assistant_\w+|num_assistant_\w+|\w+_lookbehind|prompt_lookup_\w+|max_matching_ngram_size|speculation_type|use_mtp/,
  },
  {
    about: "the cache of keys and values",
    names: /use_cache|cache_(implementation|config)|continuous_batching_config/,
  },
  {
    about: "what a call returns",
    names: /output_(attentions|hidden_states|logits|scores|past|router_logits)|return_dict(_in_generate)?/,
  },
  {
    about: "tasks and their heads",
    names: /task_specific_params|finetuning_task|problem_type|num_labels|id2label|label2id|summary_\w+|classifier_\w+/,
  },
  { about: "dropout", names: /(?!token_)(\w+_)?(dropout|pdrop|layerdrop)(_prob|_rate|_p)?/ },
  {
    about: "training",
    names:
      /initializer_(range|factor|scale\w*)|init_std|gradient_checkpointing|label_smoothing\w*|line_by_line|tf_legacy_loss|training_\w+|optimizer\w*|learning_rate|weight_decay|router_(aux_loss_coef|jitter_noise)/,
  },
  {
    about: "how it is run",
    names:
      /(torch_)?dtype|torchscript|use_bfloat16|xla_device|model_parallel|chunk_size_feed_forward|reorder_and_upcast_attn|attn_implementation|(disable_)?compile\w*|pretraining_tp|use_flash_attn\w*|is_decoder|is_composition/,
  },
];

/** Nobody has ever given a field a longer name. */
const LONGEST_NAME = 100;
const PATTERNS = RULES.map(({ names }) => new RegExp(`^(?:${names.source})$`));

/**
 * Whether a field of a `config.json` can be ignored without changing the logits.
 * @throws ConfigError for one that switches on something no family here computes
 */
export function changesNothing(name: string, value: unknown): boolean {
  return isSwitchedOff(name, value) || isBookkeeping(name, value);
}

/**
 * Whether its name says that it has no part in the forward pass, or it holds nothing (null, an
 * empty list, object or string), so that it asks for nothing. `false` and 0 are something: `use_bias: false` changes a model.
 */
function isBookkeeping(name: string, value: unknown): boolean {
  return isNothing(value) || (name.length <= LONGEST_NAME && PATTERNS.some((pattern) => pattern.test(name)));
}

function isNothing(value: unknown): boolean {
  if (value === null || value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

/** Fields that ask for something no family here computes, and the value that does not. */
const OFF: Readonly<Record<string, unknown>> = {
  add_cross_attention: false,
  is_encoder_decoder: false,
  tie_encoder_decoder: false,
};

function isSwitchedOff(name: string, value: unknown): boolean {
  if (!Object.hasOwn(OFF, name)) return false;
  if (value === OFF[name] || isNothing(value)) return true;
  throw new ConfigError(`${name} = ${shown(value)} is not supported. Supported: ${OFF[name]}.`, {
    asked: name,
    found: value,
  });
}
