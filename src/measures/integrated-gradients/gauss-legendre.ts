/** Where to look, and how much each place counts, to integrate a smooth function over [0, 1] from few values of it. */

/**
 * The Gauss-Legendre rule: exact for polynomials up to degree 2n - 1. Nodes are the roots of the Legendre polynomial P_n,
 * found by Newton's method; `weight = 1 / ((1 - x²) P_n'(x)²)` once [-1, 1] is scaled to [0, 1].
 */
export function gaussLegendre(n: number): { readonly nodes: readonly number[]; readonly weights: readonly number[] } {
  const nodes = new Array<number>(n);
  const weights = new Array<number>(n);
  for (let i = 0; i < n; i++) {
    let x = -Math.cos((Math.PI * (i + 0.75)) / (n + 0.5));
    let { value, slope } = legendre(n, x);
    for (let step = 0; step < 100 && Math.abs(value / slope) > 1e-15; step++) {
      x -= value / slope;
      ({ value, slope } = legendre(n, x));
    }
    nodes[i] = (x + 1) / 2;
    weights[i] = 1 / ((1 - x * x) * slope * slope);
  }
  return { nodes, weights };
}

/** P_n and its derivative at x. */
function legendre(n: number, x: number): { value: number; slope: number } {
  let [before, value] = [1, x];
  for (let k = 2; k <= n; k++) [before, value] = [value, ((2 * k - 1) * x * value - (k - 1) * before) / k];
  return { value, slope: (n * (x * value - before)) / (x * x - 1) };
}
