/**
 * The products with weights that jobs at the last position cannot do without, by formula: rows of values that a change reaches, in
 * causal models whose metric reads the last position. The last block's queries and all that follows attention are of the read rows alone.
 */
import type { HookedTransformerConfig } from "../src/models/config/config.ts";
import type { Product } from "./gemm.ts";

type Sizes = Pick<HookedTransformerConfig, "nLayers" | "nHeads" | "dHead" | "dModel" | "dMlp">;

/** How many rows of a block's input changed, of its queries, of what follows attention, and how wide what the output product reads is. */
interface Rows {
  readonly entering: number;
  readonly queries: number;
  readonly after: number;
  readonly inner: number;
}

/** The products of a block. Weights are numbered, so that those of one layer are the same numbers in memory whoever multiplies by them. */
function block({ dModel, dMlp }: Sizes, layer: number, { entering, queries, after, inner }: Rows): Product[] {
  const products: Product[] = [
    [queries, dModel, dModel, `q${layer}`],
    [entering, dModel, dModel, `k${layer}`],
    [entering, dModel, dModel, `v${layer}`],
    [after, inner, dModel, `o${layer}`],
    [after, dModel, dMlp!, `in${layer}`],
    [after, dMlp!, dModel, `out${layer}`],
  ];
  return products.filter(([rows]) => rows > 0);
}

/** Blocks from a layer on, all of whose inputs have that many changed rows, of which some are read in the end. */
function blocksFrom(cfg: Sizes, first: number, rows: number, read: number): Product[] {
  const products: Product[] = [];
  for (let layer = first; layer < cfg.nLayers; layer++) {
    const after = layer === cfg.nLayers - 1 ? read : rows;
    products.push(...block(cfg, layer, { entering: rows, queries: after, after, inner: cfg.dModel }));
  }
  return products;
}

/** A pass over prompts of the same length, of which the last position is read. */
export function passTo(cfg: Sizes, prompts: number, pos: number): Product[] {
  return blocksFrom(cfg, 0, prompts * pos, prompts);
}

/** A pass of which every row is read, down to the logits. */
export function wholePass(cfg: HookedTransformerConfig, rows: number): Product[] {
  return [...blocksFrom(cfg, 0, rows, rows), [rows, cfg.dModel, cfg.dVocab, "unembed"]];
}

/** A value before a layer replaced at one position at a time, by layer and position: one row enters, those from it on follow. */
export function residPreByPos(cfg: Sizes, pos: number): Product[] {
  const rows = (pos * (pos + 1)) / 2;
  const products: Product[] = passTo(cfg, 1, pos);
  for (let layer = 0; layer < cfg.nLayers; layer++) {
    const isLast = layer === cfg.nLayers - 1;
    const after = isLast ? pos : rows;
    products.push(...block(cfg, layer, { entering: pos, queries: isLast ? 1 : pos, after, inner: cfg.dModel }));
    products.push(...blocksFrom(cfg, layer + 1, rows, pos));
  }
  return products;
}

/** A head's output replaced at all positions, by layer and head. */
export function headsAtAllPos(cfg: Sizes, pos: number): Product[] {
  return headSweep(cfg, pos, cfg.nHeads * pos, cfg.nHeads * pos, cfg.nHeads, cfg.nHeads);
}

/** A head's output replaced at one position, by layer, position and head. */
export function headsByPos(cfg: Sizes, pos: number): Product[] {
  const cells = cfg.nHeads * pos;
  return headSweep(cfg, pos, cells, (cells * (pos + 1)) / 2, cells, cfg.nHeads);
}

/**
 * @param changed rows of z that change in all cells of a layer
 * @param rows rows of later blocks that change
 * @param read rows that are read in the end
 * @param readNow of those that change, the rows that are read if the layer is the last
 */
function headSweep(cfg: Sizes, pos: number, changed: number, rows: number, read: number, readNow: number): Product[] {
  const products: Product[] = passTo(cfg, 1, pos);
  for (let layer = 0; layer < cfg.nLayers; layer++) {
    const after = layer === cfg.nLayers - 1 ? readNow : changed;
    products.push(...block(cfg, layer, { entering: 0, queries: 0, after, inner: cfg.dHead }));
    products.push(...blocksFrom(cfg, layer + 1, rows, read));
  }
  return products;
}

/** What gradients of a value at the last position add to a pass: each product again, by the transposed weight. */
export function backward(products: readonly Product[]): Product[] {
  return products.map(([rows, inner, columns, weight]) => [rows, columns, inner, weight && `${weight}, transposed`]);
}

/** How many numbers are multiplied. */
export const multiplications = (products: readonly Product[]): number =>
  products.reduce((sum, [rows, inner, columns]) => sum + rows * inner * columns, 0);
