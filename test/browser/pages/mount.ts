/** What the tests of mounted views do in a page: everything of reports, and some data to show. */
import * as report from "../../../src/report/index.ts";
import { graphOfWords } from "../../report/graph-of-words.ts";
import { manyHeads, threeTokens } from "../../report/patterns.ts";

const { attentionHeads, imshow, logitLensTable, mount, textNeuronActivations, tokens } = report;

const words = ["a", " b", " c"];
const places = (axis: string) => words.map((_, i) => `${axis}=${i}`);
const spec = tokens(words, { loss: [1, 2, 3] }).spec as Extract<report.Mountable, { kind: "tokens" }>;

/** Pictures by name, each made when it is asked for. */
const pictures = {
  attention: () => attentionHeads(threeTokens.tokens, threeTokens.patterns, { layers: 0, name: "attention" }),
  manyHeads,
  tokens: () => ({ ...spec, texts: spec.texts.map((text) => ({ ...text, places: places("pos") })) }),
  heatmap: () => ({
    ...({ kind: "imshow", name: "heatmap", title: "Heads" } as const),
    values: [[0.1, 0.9, -0.4]],
    places: [["layer=0 head=0", "layer=0 head=1", "layer=0 head=2"]],
    ...{ x: { label: "head" }, y: { label: "layer" } },
  }),
  pixels: () => imshow(Array.from({ length: 80 }, (_, r) => Array.from({ length: 80 }, (_, c) => r - c))),
  lens: () =>
    logitLensTable(words, [
      words.map((token) => ({ top: [{ token, probability: 0.5 }] })),
      words.map((token) => ({ top: [{ token, probability: 0.9 }] })),
    ]),
  /** 13 layers of 1024 positions. */
  longLens: () => {
    const text = Array.from({ length: 1024 }, (_, i) => ` w${i}`);
    return logitLensTable(
      text,
      Array.from({ length: 13 }, () => text.map((token) => ({ top: [{ token, probability: 0.5 }] }))),
    );
  },
  graph: graphOfWords,
  neuron: () =>
    textNeuronActivations(
      ["a", "b"],
      [
        [
          [0, 1],
          [2, 4],
        ],
        [
          [0, -8],
          [1, 1],
        ],
      ],
    ),
} satisfies Record<string, () => report.Mountable>;

const lab = { mount, pictures, views: {} as Record<string, report.Mounted>, seen: [] as unknown[] };
export type Lab = typeof lab;
Object.assign(globalThis, { lab });
