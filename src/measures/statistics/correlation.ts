/**
 * How strongly two lists of numbers are correlated. Every value may count several times (as in a bootstrap's draws), which is
 * the same as repeating it; the values are sorted only once for all such counts.
 */

/** A correlation for given counts of the values (default: each once). NaN where it does not exist. */
export type Correlation = (counts?: ArrayLike<number>) => number;

/** Pearson's r: how close the values are to a line. It does not exist if one list is constant. */
export function pearson(x: readonly number[], y: readonly number[]): Correlation {
  const once = new Float64Array(x.length).fill(1);
  return (counts = once) => weighted(x, y, counts);
}

/** Spearman's rho: Pearson's r of the ranks, where equal values share their mean rank. */
export function spearman(x: readonly number[], y: readonly number[]): Correlation {
  const once = new Float64Array(x.length).fill(1);
  const [rankX, rankY] = [ranks(x), ranks(y)];
  return (counts = once) => weighted(rankX(counts), rankY(counts), counts);
}

function weighted(x: ArrayLike<number>, y: ArrayLike<number>, counts: ArrayLike<number>): number {
  let n = 0;
  let meanX = 0;
  let meanY = 0;
  for (let i = 0; i < x.length; i++) {
    n += counts[i];
    meanX += counts[i] * x[i];
    meanY += counts[i] * y[i];
  }
  meanX /= n;
  meanY /= n;
  let xx = 0;
  let yy = 0;
  let xy = 0;
  for (let i = 0; i < x.length; i++) {
    const [dx, dy] = [x[i] - meanX, y[i] - meanY];
    xx += counts[i] * dx * dx;
    yy += counts[i] * dy * dy;
    xy += counts[i] * dx * dy;
  }
  return n < 3 || xx === 0 || yy === 0 ? Number.NaN : xy / Math.sqrt(xx * yy);
}

/** The rank of each value, from its count and the counts of smaller and equal ones. */
function ranks(values: readonly number[]): (counts: ArrayLike<number>) => Float64Array {
  const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b]);
  const result = new Float64Array(values.length);
  return (counts) => {
    let below = 0;
    for (let start = 0; start < order.length; ) {
      let end = start;
      let equal = 0;
      for (; end < order.length && values[order[end]] === values[order[start]]; end++) equal += counts[order[end]];
      for (; start < end; start++) result[order[start]] = below + (equal + 1) / 2;
      below += equal;
    }
    return result;
  };
}
