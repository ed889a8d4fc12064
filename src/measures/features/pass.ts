/** A pass with a dictionary and its error term: features, what each writes, and the gradient of the loss at it. */
import type { Dictionary } from "../../dictionaries/dictionary.ts";
import { Tensor } from "../../graph/tensor.ts";
import { type Addition, components } from "../../lens/components.ts";
import type { HookedTransformer } from "../../lens/hooked-transformer.ts";
import type { ModelGraph } from "../../lens/model-graph.ts";
import { compose } from "../../models/compose.ts";
import { ndarray } from "../../tensor/array.ts";
import { placeIn } from "../dictionary/place.ts";
import { gradientsAt } from "../metric-gradients.ts";
import type { Prompt } from "../prompt.ts";
import { featureCells } from "./cells.ts";
import { type FiringPlace, FoundFeatures } from "./found.ts";

/** Whether values at a hook point are in the residual stream's space, without a norm between them and the stream. */
export function isInStream(hook: string): boolean {
  return /(^|\.)hook_(resid_pre|resid_mid|resid_post|mlp_out|attn_out)$/.test(hook);
}

export class FeaturePass {
  /** The hook point that the dictionary stands at. */
  readonly at: string;
  readonly #view: HookedTransformer;
  readonly #graph: ModelGraph;
  readonly #targets: Tensor;
  readonly #features: string;
  readonly #dSae: number;

  /** @param view a model with the dictionary @param targets the token that comes after each of the prompt's */
  constructor(view: HookedTransformer, dictionary: Dictionary, prompt: Prompt, targets: readonly number[]) {
    this.at = placeIn(dictionary, view).at;
    this.#view = view;
    this.#features = `${this.at}.hook_sae_acts_post`;
    this.#dSae = dictionary.dSae;
    this.#graph = view.graph(prompt.input).readyFor([this.#features]);
    this.#targets = Tensor.leaf(ndarray("int32", [targets.length], Int32Array.from(targets)), ["pos"]);
  }

  /** The numbers of the clean run. */
  async read(signal: AbortSignal | undefined): Promise<FoundFeatures> {
    const graph = this.#graph;
    const acts = graph.at(this.#features);
    const losses = this.losses(graph);
    const { gradients, values, metric } = gradientsAt(losses.sum("pos"), [acts]);
    const direct = this.direct();
    const asked = {
      ...{ acts: values[0].at({ batch: 0 }), slope: gradients[0].at({ batch: 0 }), losses, loss: metric },
      ...direct,
    };
    const names = Object.keys(asked) as (keyof typeof asked)[];
    const wanted = names.filter((name) => asked[name] !== undefined);
    const computed = await this.#view.compute(
      wanted.map((name) => asked[name] as Tensor),
      { signal },
    );
    const numbers = new Map(wanted.map((name, i) => [name, computed[i].data as Float32Array]));
    return new FoundFeatures({
      ...{ dSae: this.#dSae, loss: numbers.get("loss")![0], losses: numbers.get("losses")! },
      ...{ acts: numbers.get("acts")!, slope: numbers.get("slope")! },
      ...{ each: numbers.get("each"), whole: numbers.get("whole"), error: numbers.get("error") },
      ...{ neurons: numbers.get("neurons"), layer: this.mlp?.layer },
    });
  }

  /** The loss with one feature removed at one place, for each of some places, [cell]. */
  removed(places: readonly FiringPlace[]): Tensor {
    const mask = featureCells(places, this.#graph.at(this.#features));
    const edited = this.#graph.with([[this.#features, (acts) => acts.constant(0).where(mask, acts)]]);
    return edited.follow(this.losses(this.#graph).sum("pos"));
  }

  /** The MLP whose output the dictionary makes, if it does. */
  private get mlp(): Addition | undefined {
    const { at } = this;
    return components(this.#view).additions.find(({ kind, point }) => kind === "mlp" && point === at);
  }

  /** −log probability of the token that comes next at each position, [pos]. */
  private losses(graph: ModelGraph): Tensor {
    return graph.output.at({ batch: 0 }).crossEntropy(this.#targets);
  }

  /**
   * What is added to the next token's logit on the direct path: by one unit of each feature [pos d_sae], by the whole value at the
   * hook point, by the error, and by each neuron [pos d_mlp].
   */
  private direct() {
    if (!isInStream(this.at)) return {};
    const graph = this.#graph;
    const { weights, cfg } = this.#view;
    const onto = this.directions();
    const scale = compose(cfg).finalNorm ? graph.at("ln_final.hook_scale").at({ batch: 0 }).detach() : undefined;
    // x [pos d_model], a value or a part of it
    const logit = (x: Tensor) => {
      const all = x.mul(onto).sum(-1);
      return scale ? all.div(scale.squeeze(-1)) : all;
    };
    const made = logit(graph.at(`${this.at}.hook_sae_output`).at({ batch: 0 }));
    const { gradients } = gradientsAt(made.sum(), [graph.at(this.#features)]);
    const output = this.mlp?.output;
    // A norm behind the MLP divides by a scale of its own: a neuron then has no one row that it writes.
    const neurons =
      output && !output.norm
        ? graph
            .at(output.point)
            .at({ batch: 0 })
            .mul(onto.matmul(weights.get(output.weight).transpose(0, 1)))
        : undefined;
    return {
      each: gradients[0].at({ batch: 0 }),
      whole: made,
      error: logit(graph.at(`${this.at}.hook_sae_error`).at({ batch: 0 })),
      neurons: neurons && scale ? neurons.div(scale) : neurons,
    };
  }

  /** At each position what is read as the next token's logit less the mean of all, [pos d_model]. */
  private directions(): Tensor {
    const { weights, cfg } = this.#view;
    const W_U = weights.get("unembed.W_U");
    const towards = W_U.gather("d_vocab", this.#targets).transpose().sub(W_U.mean("d_vocab"));
    const w = weights.find("ln_final.w");
    const scaled = w ? towards.mul(w) : towards;
    // A LayerNorm removes the mean of what is written; an RMSNorm does not.
    return compose(cfg).finalNorm?.subtractsMean ? scaled.sub(scaled.mean(-1, true)) : scaled;
  }
}
