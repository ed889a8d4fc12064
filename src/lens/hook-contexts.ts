/** What hooks remember from call to call, by hook point: a run that fails leaves it as it was. */

/** One hook point's memory. */
type Context = Record<string, unknown>;

/** Puts something back as it was. */
type Undo = () => void;

/** The memories of a model's hooks. */
export class HookContexts {
  private readonly byPoint = new Map<string, Context>();
  /** Runs that are going on, and how many have begun: whether another run was there in the meantime. */
  private running = 0;
  private begun = 0;

  /** What the hooks at a point remember; nothing at first. */
  of(name: string): Context {
    const ctx = this.byPoint.get(name) ?? {};
    this.byPoint.set(name, ctx);
    return ctx;
  }

  /**
   * Does something with the memories, and puts them back as they were if it fails: their entries, and what lists, maps,
   * sets and plain objects among those hold. Where several runs share them at one time nothing can be put back without
   * undoing what another run has done, and nothing is.
   */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const alone = this.running === 0;
    const number = ++this.begun;
    const undo = alone ? this.snapshot() : undefined;
    this.running++;
    try {
      return await work();
    } catch (error) {
      if (this.begun === number) undo?.();
      throw error;
    } finally {
      this.running--;
    }
  }

  private snapshot(): Undo {
    const held = new Set<unknown>();
    const undos = [...this.byPoint.values()].map((ctx) => snapshotOf(ctx, held));
    const known = new Set(this.byPoint.keys());
    return () => {
      for (const undo of undos) undo();
      for (const [name, ctx] of this.byPoint) if (!known.has(name)) for (const key of Object.keys(ctx)) delete ctx[key];
    };
  }
}

/** How to put a list, map, set or plain object, and those in it, back as they are now. */
function snapshotOf(value: unknown, held: Set<unknown>): Undo {
  if (typeof value !== "object" || value === null || held.has(value)) return () => {};
  held.add(value);
  const within = (values: Iterable<unknown>) => Array.from(values, (inner) => snapshotOf(inner, held));
  let inner: readonly Undo[];
  let back: Undo;
  if (Array.isArray(value)) {
    const items = [...value];
    inner = within(items);
    back = () => {
      value.length = 0;
      for (const item of items) value.push(item);
    };
  } else if (value instanceof Map) {
    const entries = [...value];
    inner = within(value.values());
    back = () => {
      value.clear();
      for (const [key, item] of entries) value.set(key, item);
    };
  } else if (value instanceof Set) {
    const items = [...value];
    inner = [];
    back = () => {
      value.clear();
      for (const item of items) value.add(item);
    };
  } else if (Object.getPrototypeOf(value) === Object.prototype) {
    const entries = Object.entries(value);
    inner = within(Object.values(value));
    back = () => {
      for (const key of Object.keys(value)) delete (value as Context)[key];
      Object.assign(value, Object.fromEntries(entries));
    };
  } else return () => {};
  return () => {
    back();
    for (const undo of inner) undo();
  };
}
