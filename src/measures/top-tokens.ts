/** The largest of numbers that are here. */

/** Up to this many are put in their places one by one; more are sorted with all others. */
const FEW = 100;

/** The indices of the k largest numbers, the largest first; of two equal ones, the earlier. */
export function largestIndices(numbers: ArrayLike<number>, k: number): number[] {
  if (k > FEW) {
    const order = Array.from(numbers, (_, i) => i).sort((a, b) => numbers[b] - numbers[a]);
    return order.slice(0, k);
  }
  const best: number[] = [];
  for (let i = 0; i < numbers.length; i++) {
    if (best.length === k && numbers[i] <= numbers[best[k - 1]]) continue;
    let at = best.length;
    while (at > 0 && numbers[best[at - 1]] < numbers[i]) at--;
    best.splice(at, 0, i);
    if (best.length > k) best.pop();
  }
  return best;
}
