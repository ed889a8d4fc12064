/**
 * Colours for attention: one hue for each head, and mixtures of them, in OKLab, where equal steps look equal. A weight of 0 has
 * the page's own colour and the largest is dark, or bright on a dark page. On a page the colour is left to its style
 * sheet (`--l0` and `--l1`, see style.ts), so that it adapts to light and dark; a standalone picture gets hex.
 */

/** The strength of a colour, 0 to 1, and its two colour coordinates at full strength. */
export interface Tint {
  readonly strength: number;
  readonly a: number;
  readonly b: number;
}

const FIRST_HUE = 255;
const CHROMA = 0.14;
/** The lightness at strength 0 and what full strength adds, on a light and on a dark page. */
export const LIGHTNESS = { light: [0.99, -0.53], dark: [0.235, 0.6] } as const;

/** The hue of one head of many: around the circle from blue, so that neighbours differ least and layers follow each other. */
export function hueOf(index: number, count: number): { a: number; b: number } {
  const angle = ((FIRST_HUE + (360 * index) / Math.max(1, count)) * Math.PI) / 180;
  return { a: CHROMA * Math.cos(angle), b: CHROMA * Math.sin(angle) };
}

/**
 * The strength of the strongest weight, with the mean of the hues weighted by squared weight, so that many weak ones do not
 * hide a strong one: where several are equally strong, the colour turns grey.
 */
export function mix(weights: readonly number[], hues: readonly { a: number; b: number }[]): Tint {
  let sum = 0;
  let strength = 0;
  let a = 0;
  let b = 0;
  weights.forEach((w, i) => {
    sum += w * w;
    strength = Math.max(strength, w);
    a += w * w * hues[i].a;
    b += w * w * hues[i].b;
  });
  return sum > 0 ? { strength, a: a / sum, b: b / sum } : { strength: 0, a: 0, b: 0 };
}

/** How many steps there are, so that many cells share a colour. */
export function rounded({ strength, a, b }: Tint, steps: number): Tint {
  return { strength: Math.round(strength * steps) / steps, a: Math.round(a * 200) / 200, b: Math.round(b * 200) / 200 };
}

/** As a CSS colour that the page's `--l0` and `--l1` turn light or dark. */
export function tintCss({ strength, a, b }: Tint): string {
  const number = (v: number) => String(Number(v.toFixed(3)));
  return `oklab(calc(var(--l0) + var(--l1)*${number(strength)}) ${number(a * strength)} ${number(b * strength)})`;
}

/** As `#rrggbb`, for a white page. */
export function tintHex({ strength, a, b }: Tint): string {
  const [base, reach] = LIGHTNESS.light;
  return oklabHex(base + reach * strength, a * strength, b * strength);
}

function oklabHex(lightness: number, a: number, b: number): string {
  return `#${oklabRgb(lightness, a, b)
    .map((channel) => channel.toString(16).padStart(2, "0"))
    .join("")}`;
}

/** OKLab to sRGB (B. Ottosson, 2020), 0 to 255; colours outside sRGB are clipped. */
export function oklabRgb(lightness: number, a: number, b: number): number[] {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  return linear.map((v) => {
    const part = Math.max(0, Math.min(1, v));
    const coded = part <= 0.0031308 ? 12.92 * part : 1.055 * part ** (1 / 2.4) - 0.055;
    return Math.round(255 * coded);
  });
}
