/** Large matrices of small rank: what heads read and write, and whatever those are multiplied with. */
import { broadcast, showShape } from "../graph/axes.ts";
import { evaluate } from "../graph/evaluate.ts";
import { hostView } from "../graph/host-view.ts";
import type { EvaluateOptions } from "../graph/runner.ts";
import { Tensor } from "../graph/tensor.ts";
import { ndarray, sizeOf, stridesOf } from "../tensor/array.ts";
import type { Columns } from "../tensor/columns.ts";
import { ArgumentError, GlassformerError, ShapeError } from "../tensor/errors.ts";
import { COUNT, SIGNAL } from "../tensor/kinds.ts";
import { MATRICES, THIN_SVD } from "../tensor/matrices.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import { type AxisSlice, indicesOf } from "./axis-slice.ts";
import { checkTensor } from "./check-tensor.ts";

/** `AB = U diag(S) Vᵀ`. */
export interface Svd {
  /**
   * [... row n], n = min(ldim, mdim, rdim); orthonormal columns wherever the singular value is not 0. In each column the number with the largest
   * magnitude is positive, which fixes the signs of U and V, as in scikit-learn's `svd_flip`.
   */
  readonly U: Tensor;
  /** [... n], from the largest down. */
  readonly S: Tensor;
  /** [... column n]; what TransformerLens calls `Vh` is this V. */
  readonly V: Tensor;
}

/** Complex numbers, as separate real and imaginary parts. */
export interface Complex {
  readonly re: Tensor;
  readonly im: Tensor;
}

/** Which elements of each axis: an index drops a leading axis; `null` is the whole axis. */
export type MatrixIndex = AxisSlice | null;

/**
 * A large matrix of small rank, such as what a head reads and writes, kept as the product of two thin ones. Products are
 * values of a graph, like everything else, and never make the large matrix; decompositions are computed immediately, in float64,
 * through matrices of the small size. Source: TransformerLens' `FactoredMatrix`.
 */
export class FactoredMatrix {
  /** [... row inner] */
  readonly A: Tensor;
  /** [... inner column] */
  readonly B: Tensor;
  private readonly lead: { readonly shape: readonly number[]; readonly axes: readonly string[] };
  private decomposed: Svd | undefined;

  /** The product of A [... row inner] and B [... inner column], whose leading axes broadcast. @throws ShapeError */
  constructor(A: Tensor, B: Tensor) {
    checkTensor("The left factor", A);
    checkTensor("The right factor", B);
    if (A.shape.length < 2 || B.shape.length < 2 || A.shape.at(-1) !== B.shape.at(-2)) {
      throw new ShapeError(
        `A factored matrix is a product of [..., row, inner] and [..., inner, column], but got ${showShape(A)} and ${showShape(B)}.`,
        { asked: A.shape, found: B.shape },
      );
    }
    this.lead = broadcast("FactoredMatrix", [leading(A), leading(B)]);
    this.A = withRank(A, this.ndim);
    this.B = withRank(B, this.ndim);
  }

  // Shape.

  /** [... row column], the shape of the product. */
  get shape(): readonly number[] {
    return [...this.lead.shape, this.ldim, this.rdim];
  }
  /** The names of the axes of the product. */
  get axes(): readonly string[] {
    return [...this.lead.axes, this.A.axes.at(-2)!, this.B.axes.at(-1)!];
  }
  /** How many axes the product has. */
  get ndim(): number {
    return this.lead.shape.length + 2;
  }
  /** Rows of the product. */
  get ldim(): number {
    return this.A.shape.at(-2)!;
  }
  /** Columns of the product. */
  get rdim(): number {
    return this.B.shape.at(-1)!;
  }
  /** What the factors share: at least the product's rank. */
  get mdim(): number {
    return this.A.shape.at(-1)!;
  }
  /** Whether there are several matrices: axes before the last two. */
  get hasLeadingDims(): boolean {
    return this.lead.shape.length > 0;
  }
  /** Both factors. */
  get pair(): readonly [A: Tensor, B: Tensor] {
    return [this.A, this.B];
  }

  // Products.

  /** The product itself, [... row column]. */
  get AB(): Tensor {
    return this.A.matmul(this.B);
  }

  /** The product of the factors in the other order, [... inner inner]; it has the eigenvalues of AB that are not 0. @throws ShapeError */
  get BA(): Tensor {
    this.needSquare("BA");
    return this.B.matmul(this.A);
  }

  /** The transpose, `Bᵀ Aᵀ`. */
  get T(): FactoredMatrix {
    return new FactoredMatrix(this.B.transpose(), this.A.transpose());
  }

  /** `AB x`, for a matrix [... column n] or another factored matrix. */
  matmul(x: Tensor | FactoredMatrix): FactoredMatrix {
    if (x instanceof FactoredMatrix) return this.matmul(x.A).matmul(x.B);
    checkTensor("What matmul takes", x);
    this.needMatrix("matmul", x, "matvec", x.shape.at(-2) === this.rdim, `[..., ${this.rdim}, n]`);
    return this.rdim > this.mdim
      ? new FactoredMatrix(this.A, this.B.matmul(x))
      : new FactoredMatrix(this.A.matmul(this.B), x);
  }

  /** `x AB`, for a matrix [... n row] or another factored matrix. */
  rmatmul(x: Tensor | FactoredMatrix): FactoredMatrix {
    if (x instanceof FactoredMatrix) return x.matmul(this);
    checkTensor("What rmatmul takes", x);
    this.needMatrix("rmatmul", x, "rmatvec", x.shape.at(-1) === this.ldim, `[..., n, ${this.ldim}]`);
    return this.ldim > this.mdim
      ? new FactoredMatrix(x.matmul(this.A), this.B)
      : new FactoredMatrix(x, this.A.matmul(this.B));
  }

  /** `AB v`, [... row], for a vector [column], or one for each place of the leading axes. */
  matvec(v: Tensor): Tensor {
    this.needVector("matvec", v, this.rdim);
    return this.A.matmul(this.B.matmul(v.unsqueeze(-1))).squeeze(-1);
  }

  /** `v AB`, [... column], for a vector [row], or one for each place of the leading axes. */
  rmatvec(v: Tensor): Tensor {
    this.needVector("rmatvec", v, this.ldim);
    return v.unsqueeze(-2).matmul(this.A).matmul(this.B).squeeze(-2);
  }

  /** `AB` times a number, or one for each place of the leading axes [... 1 1]. */
  mul(x: Tensor | number): FactoredMatrix {
    if (typeof x !== "number") checkTensor("What a factored matrix is multiplied by", x);
    return new FactoredMatrix(this.A.mul(x), this.B);
  }

  // Parts.

  /**
   * Part of it, an index for each axis from the first on, as in `OV.at(layer, head)`. A number drops a leading axis;
   * rows and columns, the last two axes, always stay, with a number as one of them.
   */
  at(...index: readonly MatrixIndex[]): FactoredMatrix {
    if (index.length > this.ndim) {
      throw new ShapeError(`at() got ${index.length} indices, but the matrix has ${this.ndim} axes, ${this.show()}.`, {
        asked: index,
        found: this.shape,
      });
    }
    const lead = this.lead.shape.length;
    let [A, B] = this.pair;
    // From the last axis on, so that dropping one leaves the places of those before it.
    for (let i = index.length - 1; i >= 0; i--) {
      const slice = index[i];
      if (slice === null) continue;
      const indices = indicesOf(slice, this.shape[i], this.axes[i] || `${i}`);
      const picked = (x: Tensor, axis: number) =>
        pick(x, axis, indices, this.shape[i], typeof slice === "number" && i < lead);
      if (i !== lead + 1) A = picked(A, i);
      if (i !== lead) B = picked(B, i);
    }
    return new FactoredMatrix(A, B);
  }

  /** A new leading axis of size 1, which is axis `axis`. */
  unsqueeze(axis: number, name = ""): FactoredMatrix {
    if (typeof name !== "string")
      throw new ArgumentError(`An axis name must be a string, not ${shown(name)}.`, { asked: name });
    const lead = this.lead.shape.length;
    if (Number.isInteger(axis) && axis >= 0 && axis <= lead) {
      return new FactoredMatrix(this.A.unsqueeze(axis, name), this.B.unsqueeze(axis, name));
    }
    throw new ShapeError(
      `unsqueeze(${shown(axis)}) is not among the leading axes of ${this.show()}: use 0 to ${lead}.`,
      {
        asked: axis,
        found: this.shape,
      },
    );
  }

  /** The top left corner of the product, [... k k]. */
  getCorner(k = 3): Tensor {
    if (!COUNT.accepts(k)) {
      throw new ArgumentError(`The corner's size must be ${COUNT.describe}, not ${shown(k)}.`, { asked: k });
    }
    return this.A.slice(-2, 0, Math.min(k, this.ldim)).matmul(this.B.slice(-1, 0, Math.min(k, this.rdim)));
  }

  // Decompositions.

  /** The same matrix with its factors' numbers, ready to be decomposed: one run, or none if they are there. */
  async compute(options: EvaluateOptions = {}): Promise<FactoredMatrix> {
    checkOptions("compute", options, { signal: SIGNAL } as OptionKinds<EvaluateOptions>);
    await Promise.all([MATRICES.load(), THIN_SVD.load()]);
    if (this.A.computed && this.B.computed) return this;
    const [A, B] = await evaluate([this.A, this.B], options);
    return new FactoredMatrix(A, B);
  }

  /**
   * The singular value decomposition, computed once and kept.
   * @throws GlassformerError if the factors have not been computed.
   */
  svd(): Svd {
    this.decomposed ??= this.decompose();
    return this.decomposed;
  }
  /** Left singular vectors, as `svd()` gives them. */
  get U(): Tensor {
    return this.svd().U;
  }
  /** Singular values, the largest first. */
  get S(): Tensor {
    return this.svd().S;
  }
  /** Right singular vectors. */
  get V(): Tensor {
    return this.svd().V;
  }

  /**
   * The eigenvalues of AB, [... inner], largest magnitude first. They are computed as those of the small BA:
   * where `mdim` exceeds the size of AB, the surplus is 0.
   * @throws ShapeError if AB is not square; GlassformerError if the factors have not been computed.
   */
  get eigenvalues(): Complex {
    this.needSquare("eigenvalues");
    const k = this.mdim;
    const { EigenvalueDecomposition, Matrix } = MATRICES.code;
    const [re, im] = [new Float32Array(sizeOf(this.lead.shape) * k), new Float32Array(sizeOf(this.lead.shape) * k)];
    this.each((columns, rows, n) => {
      const small = Matrix.zeros(k, k);
      for (let i = 0; i < k; i++) for (let j = 0; j < k; j++) small.set(i, j, product(rows, i, columns, j));
      const found = new EigenvalueDecomposition(small);
      const [real, imaginary] = [found.realEigenvalues, found.imaginaryEigenvalues];
      const order = real
        .map((_, i) => i)
        .sort((i, j) => Math.hypot(real[j], imaginary[j]) - Math.hypot(real[i], imaginary[i]));
      re.set(
        order.map((i) => real[i]),
        n * k,
      );
      im.set(
        order.map((i) => imaginary[i]),
        n * k,
      );
    });
    return { re: this.leaf([k], re, [""]), im: this.leaf([k], im, [""]) };
  }

  /** The Frobenius norm of AB, [...]: `‖AB‖² = Σ_ij (AᵀA)_ij (BBᵀ)_ij`, the root of the sum of S². */
  norm(): Tensor {
    const norms = new Float32Array(sizeOf(this.lead.shape));
    this.each((columns, rows, n) => {
      let sum = 0;
      for (let i = 0; i < this.mdim; i++) {
        sum += product(columns, i, columns, i) * product(rows, i, rows, i);
        for (let j = 0; j < i; j++) sum += 2 * product(columns, i, columns, j) * product(rows, i, rows, j);
      }
      norms[n] = Math.sqrt(Math.max(sum, 0));
    });
    return this.leaf([], norms, []);
  }

  /** The same product with factors of equal singular values, `U sqrt(S)` and `sqrt(S) Vᵀ`. */
  makeEven(): FactoredMatrix {
    const { U, S, V } = this.svd();
    const root = S.sqrt();
    return new FactoredMatrix(U.mul(root.unsqueeze(-2)), V.mul(root.unsqueeze(-2)).transpose());
  }

  /** `S Vᵀ`, [... n column]: the product up to a rotation of what it gives. Norms and inner products of columns are AB's. */
  collapseL(): Tensor {
    const { S, V } = this.svd();
    return V.mul(S.unsqueeze(-2)).transpose();
  }

  /** `U S`, [... row n]: the product up to a rotation of what it takes. Norms and inner products of rows are AB's. */
  collapseR(): Tensor {
    const { U, S } = this.svd();
    return U.mul(S.unsqueeze(-2));
  }

  private decompose(): Svd {
    const [l, r, n] = [this.ldim, this.rdim, Math.min(this.ldim, this.mdim, this.rdim)];
    const count = sizeOf(this.lead.shape);
    const [U, S, V] = [new Float32Array(count * l * n), new Float32Array(count * n), new Float32Array(count * r * n)];
    const { svdOfProduct } = THIN_SVD.code;
    this.each((columns, rows, i) => {
      const { u, s, v } = svdOfProduct(columns, rows);
      S.set(s.slice(0, n), i * n);
      for (let j = 0; j < n; j++) {
        for (let k = 0; k < l; k++) U[(i * l + k) * n + j] = u.data[j * l + k];
        for (let k = 0; k < r; k++) V[(i * r + k) * n + j] = v.data[j * r + k];
      }
    });
    return {
      U: this.leaf([l, n], U, [this.A.axes.at(-2)!, ""]),
      S: this.leaf([n], S, [""]),
      V: this.leaf([r, n], V, [this.B.axes.at(-1)!, ""]),
    };
  }

  /** For each place of the leading axes: A's columns, B's rows (as columns), and the place's number. */
  private each(f: (columns: Columns, rows: Columns, n: number) => void): void {
    const strides = stridesOf(this.lead.shape);
    for (let n = 0; n < sizeOf(this.lead.shape); n++) {
      const place = this.lead.shape.map((size, axis) => Math.floor(n / strides[axis]) % size);
      f(columnsOf(this.A, place), columnsOf(this.B.transpose(), place), n);
    }
  }

  private leaf(shape: readonly number[], data: Float32Array<ArrayBuffer>, axes: readonly string[]): Tensor {
    return Tensor.leaf(ndarray("float32", [...this.lead.shape, ...shape], data), [...this.lead.axes, ...axes]);
  }

  private show(): string {
    return showShape(this);
  }

  private needSquare(what: string): void {
    if (this.ldim === this.rdim) return;
    throw new ShapeError(`${what} needs a square matrix, but the product is ${this.show()}.`, {
      asked: what,
      found: this.shape,
    });
  }

  private needMatrix(what: string, x: Tensor, forVectors: string, fits: boolean, shape: string): void {
    if (x.shape.length >= 2 && fits) return;
    const advice = x.shape.length === 1 ? ` For a vector, use ${forVectors}.` : "";
    throw new ShapeError(`${what} with ${this.show()} needs a matrix ${shape}, but got ${showShape(x)}.${advice}`, {
      asked: shape,
      found: x.shape,
      nearest: x.shape.length === 1 ? forVectors : undefined,
    });
  }

  private needVector(what: string, v: Tensor, size: number): void {
    checkTensor(`What ${what} takes`, v);
    if (v.shape.at(-1) === size) return;
    throw new ShapeError(`${what} with ${this.show()} needs a vector of ${size} numbers, but got ${showShape(v)}.`, {
      asked: size,
      found: v.shape,
    });
  }
}

function leading({ dtype, shape, axes }: Tensor) {
  return { dtype, shape: shape.slice(0, -2), axes: axes.slice(0, -2) };
}

/** The same value with axes of size 1 in front, up to a rank. */
function withRank(x: Tensor, rank: number): Tensor {
  return x.shape.length < rank ? withRank(x.unsqueeze(0), rank) : x;
}

/** Elements along an axis; an axis that broadcasts to `whole` has only one to pick. */
function pick(x: Tensor, axis: number, indices: readonly number[], whole: number, drop: boolean): Tensor {
  const broadcasts = x.shape[axis] === 1 && whole !== 1;
  const index = ndarray("int32", [indices.length], Int32Array.from(indices));
  const part = broadcasts ? x : x.gather(axis, Tensor.leaf(index, [x.axes[axis]]));
  return drop ? part.squeeze(axis) : part;
}

/** The columns of the matrix at one place of the leading axes. */
function columnsOf(x: Tensor, place: readonly number[]): Columns {
  const held = place.map((i, axis) => (x.shape[axis] === 1 ? 0 : i));
  const view = hostView(x, [...held, null, null]);
  if (!view) {
    throw new GlassformerError(
      "The factors of this matrix have not been computed: `await matrix.compute()` returns it with their numbers.",
      { asked: "numbers", found: x.op },
    );
  }
  const [rows, cols] = x.shape.slice(-2);
  const [down, across] = view.offsets.slice(-2).map((offsets) => offsets!);
  const data = new Float64Array(rows * cols);
  for (let j = 0, to = 0; j < cols; j++) {
    const from = view.start + across[j];
    for (let i = 0; i < rows; i++) data[to++] = view.data[from + down[i]];
  }
  return { rows, cols, data };
}

/** The inner product of column i of one matrix and column j of another. */
function product(a: Columns, i: number, b: Columns, j: number): number {
  let sum = 0;
  for (let k = 0; k < a.rows; k++) sum += a.data[i * a.rows + k] * b.data[j * b.rows + k];
  return sum;
}
