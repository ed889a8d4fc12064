/**
 * What a picture shows, as plain data: it can be part of a `Finding`, survives JSON, and becomes SVG, PNG or HTML wherever it
 * is drawn. A spec holds numbers and words; how they look is up to the renderer.
 *
 * Every axis has a label and, where the numbers have one, a unit (nats, logits). `null` stands for a value that does not
 * exist (the last position has no next token) and is drawn as a gap.
 */

/** What a picture shows, as plain data that any renderer draws. */
export type PictureSpec =
  | ImshowSpec
  | FacetsSpec
  | LineSpec
  | ScatterSpec
  | HistSpec
  | BarSpec
  | TokensSpec
  | AttentionSpec
  | ActivationsSpec
  | TopkSpec
  | LogitLensSpec
  | GraphSpec;

export interface PictureBase {
  /** Unique among the pictures of a finding; also a good file name. */
  readonly name: string;
  readonly title: string;
  /** What to look for, in a sentence or two; written under the picture. What pointing does is said by the page, and is not true on paper. */
  readonly caption?: string;
  /** The `Part` of the finding that it belongs to. */
  readonly part?: string;
  /** Size in CSS pixels. Without a height, each kind of picture chooses its own. */
  readonly width?: number;
  readonly height?: number;
}

export interface Axis {
  readonly label?: string;
  readonly unit?: string;
  /** From, to. Default: the range of the numbers. */
  readonly domain?: readonly [number, number];
  readonly scale?: "linear" | "log" | "symlog";
  /** Names of the places 0, 1, 2, ... ("embed", "L0H3"), written in place of the numbers. */
  readonly ticks?: readonly string[];
}

/** An axis of rows or columns: one tick label per index; without labels, the index itself. */
export interface IndexAxis {
  readonly label?: string;
  readonly ticks?: readonly string[];
}

/** How numbers become colours. By default RdBu centred on 0: negative red, positive blue, as far as the largest |value|. */
export interface ColorScale {
  readonly label?: string;
  readonly unit?: string;
  readonly scheme?: "RdBu" | "Blues" | "Viridis";
  readonly domain?: readonly [number, number];
}

/** A line to compare the numbers with: a slope (`y = slope x + intercept`) or a fixed x or y. */
export type ReferenceLine =
  | { readonly kind: "slope"; readonly slope: number; readonly intercept?: number; readonly label: string }
  | { readonly kind: "x" | "y"; readonly at: number; readonly label: string };

/** A matrix as coloured cells: `values[row][column]`, row 0 on top. */
export interface ImshowSpec extends PictureBase {
  readonly kind: "imshow";
  readonly values: readonly (readonly (number | null)[])[];
  readonly x?: IndexAxis;
  readonly y?: IndexAxis;
  readonly color?: ColorScale;
  /** Words of its own for each cell, in its tip above row, column and value. */
  readonly words?: readonly (readonly string[])[];
  /** The whole tip of each cell, instead of that. */
  readonly titles?: readonly (readonly string[])[];
  /** Where each cell is, along named axes: "layer=0 head=3". What is in the same place elsewhere on a page lights up with it. */
  readonly places?: readonly (readonly string[])[];
}

/** Several matrices of one size, side by side on one colour scale: a patching result's sites, an analysis' heads. */
export interface FacetsSpec extends PictureBase {
  readonly kind: "facets";
  readonly facets: readonly {
    readonly title: string;
    readonly values: readonly (readonly (number | null)[])[];
    readonly titles?: readonly (readonly string[])[];
    readonly places?: readonly (readonly string[])[];
  }[];
  /** The most that stand side by side. Default: as many as there is room for. */
  readonly perRow?: number;
  readonly x?: IndexAxis;
  readonly y?: IndexAxis;
  readonly color?: ColorScale;
}

/** Lines; the `x` of a series defaults to 0, 1, 2, ... */
export interface LineSpec extends PictureBase {
  readonly kind: "line";
  readonly series: readonly {
    readonly name: string;
    readonly x?: readonly number[];
    readonly y: readonly (number | null)[];
    /** An interval around the line, drawn as a band. */
    readonly low?: readonly (number | null)[];
    readonly high?: readonly (number | null)[];
    /** Words of its own for each point, in its tip above the numbers. */
    readonly words?: readonly string[];
    /** The whole tip of each point, instead of that. */
    readonly titles?: readonly string[];
    readonly places?: readonly string[];
  }[];
  readonly x?: Axis;
  readonly y?: Axis;
  readonly references?: readonly ReferenceLine[];
}

/** Points in groups. Later series are drawn over earlier ones. */
export interface ScatterSpec extends PictureBase {
  readonly kind: "scatter";
  readonly series: readonly {
    readonly name: string;
    readonly x: readonly (number | null)[];
    readonly y: readonly (number | null)[];
    /** Words of its own for each point, in its tip above the numbers. */
    readonly words?: readonly string[];
    /** The whole tip of each point, instead of that. */
    readonly titles?: readonly string[];
    readonly places?: readonly string[];
    /** Words written next to the points, the first ones first, as far as there is room; an empty string writes nothing. */
    readonly labels?: readonly string[];
    /** A number per point, shown as its colour on the picture's `color` scale. */
    readonly color?: readonly (number | null)[];
  }[];
  readonly x?: Axis;
  readonly y?: Axis;
  readonly color?: ColorScale;
  readonly references?: readonly ReferenceLine[];
}

/** Histograms over the same bins. */
export interface HistSpec extends PictureBase {
  readonly kind: "hist";
  readonly series: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
  /** Bins have equal width, so the axis is linear. */
  readonly x?: Omit<Axis, "scale" | "ticks">;
  /** The approximate number of bins: their borders are round numbers. */
  readonly bins?: number;
  /** `share` (of the series' own total) makes series of unequal size comparable, and is the default for several series. */
  readonly measure?: "count" | "share";
  /** What is counted: "positions", "neurons". */
  readonly of?: string;
  readonly references?: readonly ReferenceLine[];
}

/** Bars from 0; several series stand next to each other in groups. */
export interface BarSpec extends PictureBase {
  readonly kind: "bar";
  readonly series: readonly {
    readonly name: string;
    /** The length of each bar, or with `total` what it adds. */
    readonly values: readonly (number | null)[];
    /** An interval around the end of each bar. */
    readonly low?: readonly (number | null)[];
    readonly high?: readonly (number | null)[];
    /** Words of its own for each bar, in its tip above the number. */
    readonly words?: readonly string[];
    /** The whole tip of each bar, instead of that. */
    readonly titles?: readonly string[];
    readonly places?: readonly string[];
  }[];
  /** The names of the bars, or of the groups. */
  readonly x?: IndexAxis;
  /** What their length says. */
  readonly y?: Omit<Axis, "scale" | "ticks">;
  /** Makes a waterfall of one series: each bar starts where the one before ended, and a last bar with this name is their sum. */
  readonly total?: string;
  /** Whether bars lie, with their names at the left. Default: if the names do not fit below standing bars. */
  readonly horizontal?: boolean;
  /** At a value: `{ kind: "y", at, label }`. */
  readonly references?: readonly ReferenceLine[];
}

/** A value that every token has. */
export interface TokenValue {
  readonly title: string;
  readonly unit?: string;
}

/**
 * Texts as coloured tokens. Each of `rows` is drawn as one line of coloured tokens per text; `hover` values are only
 * shown when the pointer is on a token. All texts share a row's colour scale.
 */
export interface TokensSpec extends PictureBase {
  readonly kind: "tokens";
  readonly rows: readonly (TokenValue & { readonly color?: ColorScale })[];
  readonly hover?: readonly TokenValue[];
  readonly texts: readonly {
    readonly label?: string;
    readonly tokens: readonly string[];
    /** `[value][pos]`: one array for each of `rows`, then one for each of `hover`. */
    readonly values: readonly (readonly (number | null)[])[];
    /** Positions drawn with a frame. */
    readonly marked?: readonly number[];
    /** Where each token is: "batch=0 pos=3". */
    readonly places?: readonly string[];
  }[];
  /** What the frame means: "among the top 10". */
  readonly marks?: string;
}

/**
 * The attention patterns of several heads over one text, `pattern[query][key]`. Weights of 0 and more are drawn in a hue
 * for each head, from the page's colour at 0 to dark at the end of the domain; for up to eight heads together the hues are mixed by weight.
 * With any value below 0 (scores, differences of patterns) they are drawn in RdBu centred on 0.
 *
 * Few weights are plain numbers. More than 40 000 that are all 0 or more are packed (`PackedPattern`): 144 heads on 1024 tokens
 * are under 13 MB of text, of which each weight that is kept one by one is within 2 % of itself.
 */
export interface AttentionSpec extends PictureBase {
  readonly kind: "attention";
  readonly tokens: readonly string[];
  readonly heads: readonly {
    /** "L0H3". */
    readonly name: string;
    readonly pattern: PlainPattern | PackedPattern;
    /** The norm of the head's value vector at each key: numbers, or base64 of float32 (little endian). */
    readonly valueNorms?: readonly number[] | string;
  }[];
  /** What heads can be sorted by. */
  readonly metrics?: readonly AttentionMetric[];
  /** Heads are arranged in rows of this many: a model's heads per layer. */
  readonly perRow?: number;
  /**
   * The name of the head that is drawn large. Default: up to eight heads together, with mixed hues; of more, the first by
   * the first of `metrics`.
   */
  readonly focus?: string;
  /** Default: from 0 to the weight that one in ten of a head's queries reaches, the first token left aside; with values below 0, to the largest. */
  readonly domain?: readonly [number, number];
  /** What the numbers are. Default: "attention". */
  readonly label?: string;
}

/** `pattern[query][key]` as numbers; `null` for a gap. */
export type PlainPattern = readonly (readonly (number | null)[])[];

/**
 * A pattern in bytes, of weights that are 0 or more.
 *
 * `weights` is base64. Its bytes go through the queries one after the other, and for each through its keys from 0 on: up to
 * the query itself if `causal`, else all. A byte `b` below 64 stands for `b + 1` keys that are not kept one by one; any other for the
 * weight `largest · 2^(−10 (255 − b) / 191)` of one key. So what is kept is rounded by at most 1.9 % of itself, and
 * weights below 1/1024 of the largest are not kept.
 *
 * `rest` is base64 of one float32 (little endian) for each query: the mean of its weights that are not kept. With it every query's
 * sum is right, up to the rounding of what is kept.
 */
export interface PackedPattern {
  readonly weights: string;
  readonly rest: string;
  /** The largest weight, exactly. */
  readonly largest: number;
  /** Whether each query's weights on later keys are all 0. */
  readonly causal: boolean;
  /** The share of all weight that is not kept one by one. */
  readonly left: number;
}

/** A number for each head. */
export interface AttentionMetric {
  /** "previous token". */
  readonly name: string;
  readonly unit?: string;
  /** In the order of the heads. */
  readonly values: readonly number[];
  /** Whether the lowest come first, as with entropy. Default: the highest. */
  readonly lowestFirst?: boolean;
}

/** Texts coloured by one neuron's activation, out of many: `values[pos][layer][neuron]`, one neuron chosen. */
export interface ActivationsSpec extends PictureBase {
  readonly kind: "activations";
  readonly texts: readonly {
    readonly label?: string;
    readonly tokens: readonly string[];
    readonly values: readonly (readonly (readonly (number | null)[])[])[];
  }[];
  /** The names of the second and third axes, with a tick label for each index. */
  readonly layer: IndexAxis;
  readonly neuron: IndexAxis;
  /** The indices that are shown first, and in a static picture. */
  readonly chosen: { readonly layer: number; readonly neuron: number };
  /** Without a domain each neuron has its own, up to its largest |activation| over all texts. */
  readonly color?: ColorScale;
}

/** A token and its number. */
export interface RankedToken {
  readonly token: string;
  readonly value: number;
  /** Its position in the text, for a token of a text rather than of the vocabulary. */
  readonly pos?: number;
}

/** For each neuron, direction or position: the tokens with the largest and with the smallest numbers. */
export interface TopkSpec extends PictureBase {
  readonly kind: "topk";
  readonly columns: readonly {
    readonly name: string;
    /** The largest first. */
    readonly top: readonly RankedToken[];
    /** The smallest last, so that the whole column is in descending order. */
    readonly bottom?: readonly RankedToken[];
  }[];
  /** What the columns are: "neuron". */
  readonly of?: string;
  readonly color?: ColorScale;
}

/** What a model would predict at one layer and position. */
export interface LogitLensCell {
  /** The most probable tokens, the most probable first. */
  readonly top: readonly { readonly token: string; readonly probability: number }[];
  /** The right next token here: its probability, and how many tokens are more probable. */
  readonly right?: { readonly probability: number; readonly rank: number };
  /** The entropy of the whole distribution, in nats. */
  readonly entropy?: number;
  /** Where it is, along named axes: "layer=0_mid pos=3". */
  readonly place?: string;
}

/** What each layer's residual stream predicts at each position when the unembedding reads it. */
export interface LogitLensSpec extends PictureBase {
  readonly kind: "logit-lens";
  /** The tokens that the model reads, one column each. */
  readonly tokens: readonly string[];
  /** The token that comes next, where there is one. */
  readonly next?: readonly (string | null)[];
  /** From the first layer to the last; drawn with the last on top, as logit lenses are. */
  readonly layers: readonly { readonly name: string; readonly cells: readonly LogitLensCell[] }[];
  /** What the colour shows. Default: the top token's probability. `right` is the right next token's. */
  readonly colorBy?: "probability" | "right" | "rank" | "entropy";
  readonly color?: ColorScale;
}

/** A node of a graph. */
export interface GraphSpecNode {
  /** In its tip, and unique; also written in or under it, if there is no `label`. */
  readonly name: string;
  /** What is written in it, or under it. */
  readonly label?: string;
  readonly column: number;
  /** From 0 at the bottom. */
  readonly row: number;
  /** One of `groups`. */
  readonly group: string;
  /** How large it is, from 0 to 1. Default: 1. */
  readonly size?: number;
  /** The share of all influence that it and the nodes with more of it have. A node without a share is always shown. */
  readonly share?: number;
  /** Words of its own, in its tip under its name. */
  readonly words?: string;
  readonly place?: string;
  /** Its id in files of the graph for other programs. */
  readonly id?: string;
}

/** How a graph is looked at: nodes by their names. */
export interface GraphState {
  /** Nodes and edges are shown that have this share of the influence. */
  readonly share: number;
  /** Nodes that are lit with all that leads to them and all that they lead to. */
  readonly locked: readonly string[];
  /** Nodes that are shown whatever their share is, and that can be shown alone. */
  readonly pinned: readonly string[];
  /** Pinned nodes that are shown as one, a supernode: its label, and then its nodes. */
  readonly groups: readonly (readonly string[])[];
  /** Whether the pinned nodes are shown alone, with their groups as one each. */
  readonly pinnedOnly: boolean;
}

/** The tables that have all of a graph, of which a picture shows the most important part, and what files of it say besides. */
export interface GraphSource {
  /** The names of the tables of nodes and edges. */
  readonly nodes: string;
  readonly edges: string;
  readonly prompt: string;
  readonly nLayers: number;
  /** The share of influence at which nodes were pruned. */
  readonly nodeThreshold: number;
}

/** Nodes in columns and rows, and weighted edges between them, which lead upwards. */
export interface GraphSpec extends PictureBase {
  readonly kind: "graph";
  readonly columns: number;
  /** What the rows are called, from the bottom. */
  readonly rows: readonly string[];
  /** The kinds of nodes, and how each is drawn: as a box with its label in it, as a disc, or as a ring. */
  readonly groups: readonly { readonly name: string; readonly shape: "box" | "disc" | "ring" }[];
  readonly nodes: readonly GraphSpecNode[];
  /** By the places of nodes, `from` below `to`. */
  readonly edges: readonly {
    readonly from: number;
    readonly to: number;
    /** Above 0 it adds, below 0 it takes away. */
    readonly weight: number;
    /** How wide it is. Default: its |weight|. */
    readonly strength?: number;
    /** The share of all edges' influence that it and the edges with more of it have. An edge without a share is always shown. */
    readonly share?: number;
  }[];
  /** The unit of weights. */
  readonly unit?: string;
  /** How it is looked at first, and in a static picture. Default: all of it. */
  readonly state?: Partial<GraphState>;
  /** Where all of the graph is. */
  readonly source?: GraphSource;
}
