/** The schemes' colours on a white page. */

/** Colours in the 2 x 3 hexadecimal digits of red, green and blue. */
const colors = (text: string): number[][] =>
  text.match(/.{6}/g)!.map((color) => [0, 2, 4].map((at) => Number.parseInt(color.slice(at, at + 2), 16)));

/** Colours from a scheme's start, 0, to its end, 1: red, green and blue, 0 to 255. */
export type Ramp = (t: number) => number[];

/** ColorBrewer's diverging scheme (Brewer, 2003; its colours are under the Apache license 2.0). */
export const RD_BU: Ramp = smooth(colors("67001fb2182bd6604df4a582fddbc7f7f7f7d1e5f092c5de4393c32166ac053061"));

/** ColorBrewer's sequential scheme. */
export const BLUES: Ramp = smooth(colors("f7fbffdeebf7c6dbef9ecae16baed64292c62171b508519c08306b"));

/** Matplotlib's scheme (van der Walt and Smith, 2015; in the public domain), at steps of 0.01. */
export const VIRIDIS: Ramp = (t) => viridis[Math.round(t * (viridis.length - 1))];

const viridis = colors(
  "44015445045746085c460b5e471063471365481769481a6c481d6f482173482475482878472a7a472e7c46307e463480453781443a83" +
    "433e854240864144874046883e49893e4c8a3c4f8a3b528b3a548c38588c375a8c365d8d355f8d33628d32648e31678e306a8e2f6c8e" +
    "2e6f8e2d718e2c738e2b758e2a788e297a8e287d8e27808e26828e25848e24868e23898e228b8d218e8d21918c20928c1f958b1f978b" +
    "1f9a8a1e9c891f9f881fa18820a38621a68522a88425ab8226ad8129af7f2cb17e2fb47c32b67a37b8783bbb753fbc7344bf7048c16e" +
    "4ec36b52c56958c7655ec96263cb5f69cd5b6ece5875d0547ad15181d34d86d5498ed64595d8409bd93ca2da37a8db34b0dd2fb5de2b" +
    "bddf26c2df23cae11fd2e21bd8e219dfe318e5e419ece51bf1e51df8e621fde725",
);

/** The uniform cubic B-spline of each of red, green and blue through the colours at its ends. */
function smooth(stops: readonly (readonly number[])[]): Ramp {
  const last = stops.length - 1;
  return (t) => {
    const i = Math.min(Math.floor(t * last), last - 1);
    const u = t * last - i;
    const weights = [
      1 - 3 * u + 3 * u ** 2 - u ** 3,
      4 - 6 * u ** 2 + 3 * u ** 3,
      1 + 3 * u + 3 * u ** 2 - 3 * u ** 3,
      u ** 3,
    ];
    return stops[0].map((_, c) => {
      const at = (k: number) => {
        if (k < 0) return 2 * stops[0][c] - stops[1][c];
        return k > last ? 2 * stops[last][c] - stops[last - 1][c] : stops[k][c];
      };
      return weights.reduce((sum, weight, k) => sum + weight * at(i - 1 + k), 0) / 6;
    });
  };
}
