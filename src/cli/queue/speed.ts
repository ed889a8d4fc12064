/** Tokens per second over the last seconds. */
const OVER_MS = 10_000;

export class Speed {
  private readonly counted: { readonly at: number; readonly tokens: number }[] = [];
  private readonly start = performance.now();

  add(tokens: number): void {
    this.counted.push({ at: performance.now(), tokens });
    this.forget();
  }

  now(): number {
    this.forget();
    const seconds = Math.min(OVER_MS, performance.now() - this.start) / 1000;
    return this.counted.reduce((sum, { tokens }) => sum + tokens, 0) / Math.max(seconds, 1);
  }

  private forget(): void {
    const from = performance.now() - OVER_MS;
    while (this.counted.length > 0 && this.counted[0].at < from) this.counted.shift();
  }
}
