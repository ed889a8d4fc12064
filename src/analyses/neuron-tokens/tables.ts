/** The tables of a neuron's tokens, and the pictures of them. */
import { NEURON, NEXT, POS, TOKEN } from "../../finding/columns.ts";
import type { PictureSpec, RankedToken } from "../../finding/picture.ts";
import { as, column, type Table, tableOf } from "../../finding/table.ts";
import type { View } from "../../finding/view.ts";
import type { NeuronExample, NeuronTokensMeasurement } from "../../measures/neuron-tokens.ts";

export const NEURONS = "all neurons in the layer";

/** The words up to a place. */
export const context = ({ leading }: NeuronExample): string => leading.replace(/\s+/g, " ").trim();

export function neuronPictures({ name, examples, activations }: NeuronTokensMeasurement): (PictureSpec | View)[] {
  return [
    {
      kind: "tokens",
      name: "examples",
      title: `Where ${name} is most active`,
      caption: "The strongest place of each example is framed.",
      table: "contexts",
      text: "example",
      token: TOKEN.name,
      rows: [ACTIVATION.name],
      marked: { strongest: true },
      marks: "most active",
    },
    {
      kind: "topk",
      name: "tokens",
      title: `What ${name} writes`,
      caption: "What one unit of its activation adds to a token's logit.",
      of: "neuron",
      table: "tokens",
      top: ["token_up", "effect_up"],
      bottom: ["token_down", "effect_down"],
      color: { label: "effect" },
    },
    {
      kind: "hist",
      name: "activations",
      title: `${name}'s activation at all tokens`,
      series: [{ name, values: activations }],
      x: { label: "activation" },
      of: "tokens",
    },
    {
      kind: "hist",
      name: "neurons",
      title: "The largest activation of each neuron in the layer",
      table: "neurons",
      value: "largest",
      of: "neurons",
      references: [{ kind: "x", at: examples[0].activation, label: name }],
    },
  ];
}

const ACTIVATION = column("activation", "The neuron's activation there.", { digits: 3 });

const EFFECT = column("effect", "For one unit of activation.", { title: "adds", unit: "logits", digits: 3 });

export function neuronTables(
  { examples, largestOfEach }: NeuronTokensMeasurement,
  up: readonly RankedToken[],
  down: readonly RankedToken[],
): readonly Table[] {
  const before = ({ marked, tokens, ...example }: NeuronExample) =>
    context({ ...example, tokens: tokens.slice(0, marked), marked: marked - 1 });
  const written = up.map((token, i) => ({ up: token, down: down[i] }));
  return [
    tableOf({ name: "examples", title: "Where it is most active", comparedWith: [NEURONS] }, examples, [
      ACTIVATION,
      [
        as(POS, { name: "at", title: "at", description: "The position among the text's tokens." }),
        (example) => example.at,
      ],
      [column("before", "The words before it."), before],
      as(TOKEN, "The token there."),
      NEXT,
    ]),
    tableOf({ name: "tokens", title: "What it writes" }, written, [
      [
        as(TOKEN, { name: "token_up", title: "promotes", description: "A token that it promotes." }),
        (row) => row.up.token,
      ],
      [as(EFFECT, { name: "effect_up" }), (row) => row.up.value],
      [
        as(TOKEN, { name: "token_down", title: "suppresses", description: "A token that it suppresses." }),
        (row) => row.down.token,
      ],
      [as(EFFECT, { name: "effect_down" }), (row) => row.down.value],
    ]),
    contexts(examples),
    tableOf({ name: "neurons", title: "Each neuron in the layer", detail: true }, largestOfEach, [
      [NEURON, (_, neuron) => neuron],
      [as(ACTIVATION, { name: "largest", title: "largest activation", description: "On the text." }), (value) => value],
    ]),
  ];
}

/** The tokens around each example. */
function contexts(examples: readonly NeuronExample[]): Table {
  const rows = examples.flatMap(({ tokens, activations, marked }, example) =>
    tokens.map((token, i) => ({ example, token, activation: activations[i], strongest: i === marked })),
  );
  return tableOf({ name: "contexts", title: "The examples, token by token", detail: true }, rows, [
    column("example", "The example, from 0.", { axis: "batch", format: "integer" }),
    TOKEN,
    ACTIVATION,
    [column("strongest", "Whether it is the example's place."), (row) => row.strongest],
  ]);
}
