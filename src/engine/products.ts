/**
 * Sums of products as matrix products, which is what the runtime is fastest at: `einsum` of two values becomes transposes,
 * merged axes and one `matmul`. Weights are laid out once for it. Every other one stays the runtime's `Einsum`.
 */
import { type Equation, withFront } from "../graph/ops/einsum.ts";
import { attrsOf, type Tensor } from "../graph/tensor.ts";
import { laidOutOnce } from "./layout.ts";

/** What the letters of an equation are to a product: `[batch... row... inner...] x [batch... inner... column...]`. */
interface Roles {
  readonly batch: string;
  readonly rows: string;
  readonly inner: string;
  readonly columns: string;
}

/** A side of the product, and the letters of its rows (or columns) that became one axis. */
interface Side {
  readonly value: Tensor;
  readonly merged: string;
}

/** An `einsum` as a matrix product; `undefined` if it is not one. */
export function matrixProduct(t: Tensor): Tensor | undefined {
  const { inputs } = t;
  const { equation } = attrsOf(t, "einsum")!;
  const recipe = recipeOf(
    equation,
    inputs.map((x) => x.shape.length),
  );
  if (!recipe) return undefined;
  const { roles, terms, turned, order } = recipe;
  const [first, second] = turned ? inputs.toReversed() : inputs;
  const left = leftSide(first, terms[0], roles);
  const right = rightSide(second, terms[1], roles);
  const sizeOf = (letter: string) =>
    terms[0].includes(letter) ? first.shape[terms[0].indexOf(letter)] : second.shape[terms[1].indexOf(letter)];
  const split = (x: Tensor, axis: number, letters: string) =>
    letters.length < 2 ? x : x.splitAxis(axis, Object.fromEntries([...letters].map((l) => [l, sizeOf(l)])));
  const product = split(split(left.value.matmul(right.value), -2, left.merged), -1, right.merged);
  return order ? product.permute(order) : product;
}

/**
 * A product with one column of a weight, such as one token's logit, as a sum for each row; `undefined` for any other value. The runtime's
 * products add up one row, or one column, in another order than several: their last digits would depend on the number of rows.
 */
export function columnProduct(t: Tensor): Tensor | undefined {
  if (t.op !== "matmul") return undefined;
  const [x, column] = t.inputs;
  const isColumn = column.op === "gather" && column.inputs[0].role === "weight" && column.shape.length === 2;
  return isColumn && column.shape[1] === 1 ? x.mul(column.transpose()).sum(-1, true) : undefined;
}

/** How an equation becomes a product, which does not depend on sizes. */
interface Recipe {
  readonly roles: Roles;
  /** The letters of the left side and of the right one. */
  readonly terms: readonly string[];
  /** Whether the second input is the left side. */
  readonly turned: boolean;
  /** The order of the product's axes in the result, if it differs. */
  readonly order: readonly number[] | undefined;
}

const recipes = new Map<string, Recipe | undefined>();

function recipeOf(equation: string, ranks: readonly number[]): Recipe | undefined {
  const key = `${equation} ${ranks}`;
  if (!recipes.has(key)) {
    if (recipes.size >= MOST_RECIPES) recipes.clear();
    recipes.set(key, makeRecipe(equation, ranks));
  }
  return recipes.get(key);
}
const MOST_RECIPES = 1000;

function makeRecipe(equation: string, ranks: readonly number[]): Recipe | undefined {
  if (ranks.length !== 2) return undefined;
  const [left, kept] = equation.split("->");
  const { terms, result } = withFront({ terms: left.split(","), result: kept }, ranks);
  const asGiven = rolesOf({ terms, result }, result.length - kept.length);
  if (!asGiven) return undefined;
  // Rows are what comes first in the result, so that it needs no transpose.
  const turned = [...result].find((letter) => !asGiven.batch.includes(letter)) !== asGiven.rows[0];
  const roles = turned ? { ...asGiven, rows: asGiven.columns, columns: asGiven.rows } : asGiven;
  const letters = roles.batch + roles.rows + roles.columns;
  const order = letters === result ? undefined : [...result].map((letter) => letters.indexOf(letter));
  return { roles, terms: turned ? terms.toReversed() : terms, turned, order };
}

/** A value whose axes fit any names: equations go by letters, and names may differ where letters do not. */
function unnamed(x: Tensor): Tensor {
  return x.axes.every((axis) => axis === "") ? x : x.rename(x.axes.map(() => ""));
}

/** `undefined` where there is no matrix product: letters that are summed over alone, or a side without rows or columns. */
function rolesOf({ terms: [a, b], result }: Equation, inFront: number): Roles | undefined {
  const every = [...new Set(a + b)];
  const where = (inA: boolean, inB: boolean, kept: boolean) =>
    every.filter((l) => a.includes(l) === inA && b.includes(l) === inB && result.includes(l) === kept);
  if (where(true, false, false).length > 0 || where(false, true, false).length > 0) return undefined;
  const shared = where(true, true, true);
  const front = result.slice(0, inFront);
  // Axes in front broadcast like a batch, except those of rows that are all multiplied with one matrix.
  const inBatch = (letter: string) => shared.length > 0 && front.includes(letter);
  const inOrder = (letters: readonly string[]) => [...result].filter((l) => letters.includes(l)).join("");
  /** Letters that only one side has; if all of them would be batch, the last one need not be. */
  const own = (letters: readonly string[]) => inOrder(letters.filter((l) => !inBatch(l))) || inOrder(letters).slice(-1);
  const rows = own(where(true, false, true));
  const columns = own(where(false, true, true));
  const inner = [...a].filter((l) => b.includes(l) && !result.includes(l)).join("");
  if (!rows || !columns || !inner) return undefined;
  const batch = inOrder(every.filter((l) => result.includes(l) && !rows.includes(l) && !columns.includes(l)));
  return { batch, rows, columns, inner };
}

/** `[batch... row... inner]`: rows stay as they are where nothing has to move. */
function leftSide(x: Tensor, term: string, { batch, rows, inner }: Roles): Side {
  const own = [...batch].filter((l) => term.includes(l)).join("");
  if (term === own + inner + rows) {
    const value = mergedPair(x, own.length, inner.length, rows.length).transpose();
    return { value, merged: rows };
  }
  const ordered = inOrder(x, term, own + rows + inner);
  const whole = merged(ordered, ordered.shape.length - inner.length, inner.length);
  if (!own) return { value: whole, merged: "" };
  return { value: merged(whole, own.length, rows.length), merged: rows };
}

/** `[batch... inner column]`: which of the two is first in memory is as the value has them. */
function rightSide(x: Tensor, term: string, { batch, inner, columns }: Roles): Side {
  const own = [...batch].filter((l) => term.includes(l)).join("");
  const firstOwn = [...term].find((l) => !own.includes(l))!;
  const groups = columns.includes(firstOwn) ? [columns, inner] : [inner, columns];
  const make = () => {
    const ordered = inOrder(unnamed(x), term, own + groups.join(""));
    const whole = mergedPair(ordered, own.length, groups[0].length, groups[1].length);
    return groups[0] === inner ? whole : whole.transpose();
  };
  const isWeight = x.role === "weight";
  return { value: isWeight ? laidOutOnce(x, `${term} ${[own, ...groups]} ${inner}`, make) : make(), merged: columns };
}

function inOrder(x: Tensor, from: string, to: string): Tensor {
  return from === to ? x : x.permute([...to].map((letter) => from.indexOf(letter)));
}

/** Two groups of neighbouring axes, each of which becomes one: the second first, so that the other's numbers are rows then. */
function mergedPair(x: Tensor, axis: number, first: number, second: number): Tensor {
  return merged(merged(x, axis + first, second), axis, first);
}

function merged(x: Tensor, axis: number, count: number): Tensor {
  return count === 1 ? x : x.mergeAxes(axis, count);
}
