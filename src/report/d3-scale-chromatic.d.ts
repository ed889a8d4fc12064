/** The part of d3-scale-chromatic that is used here; the package ships no types. */
declare module "d3-scale-chromatic" {
  /** t in [0, 1] to a CSS colour. */
  export function interpolateRdBu(t: number): string;
  export function interpolateBlues(t: number): string;
  export function interpolateViridis(t: number): string;
}
