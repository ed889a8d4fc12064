/** An element of a page that shows a picture: its data come as a property, an attribute, JSON inside it, or a file. */
import type { Mountable, Mounted, ViewEvents, ViewState } from "../mount.ts";
import { mountedIn } from "../mount.ts";
import { mountableOf, parsed, readJson, type Shape } from "./data.ts";

/** Where there is no page, on a server for example, the classes exist and elements do not. */
const Base: typeof HTMLElement = globalThis.HTMLElement ?? (class {} as typeof HTMLElement);
const EVENTS: readonly (keyof ViewEvents)[] = ["select", "hover", "change"];
const PROPERTIES = ["data", "state", "src"] as const;

/** What the custom elements share: where their data come from, their state and their events. */
export abstract class GlassElement<Data> extends Base {
  /** The attributes that it follows. */
  static readonly observedAttributes = ["data", "src", "theme"];
  /** What data it takes besides pictures and findings. */
  abstract readonly shape: Shape<Data>;
  #data: Data | Mountable | undefined;
  #state: Partial<ViewState> = {};
  #view: Mounted | undefined;
  #life = new AbortController();
  /** How often what it shows was set: only the last counts. */
  #version = 0;

  /** A picture, a finding, or the arguments of the function that makes the picture, by name. */
  get data(): Data | Mountable | undefined {
    return this.#data;
  }

  /** Shows other data. */
  set data(data: Data | Mountable | undefined) {
    this.#data = data;
    void this.#show();
  }

  /** The address of a finding or a picture as JSON; behind "#" the name of a finding's picture. */
  get src(): string {
    return this.getAttribute("src") ?? "";
  }

  /** Shows what is at another address. */
  set src(src: string) {
    this.setAttribute("src", src);
  }

  /** What is selected and pointed at, and the heads, switches and zoom: see `ViewState`. Setting it reports no event. */
  get state(): Partial<ViewState> {
    return this.#view?.getState() ?? this.#state;
  }

  /** Shows what a state says, without an event. */
  set state(state: Partial<ViewState>) {
    this.#state = state;
    this.#view?.setState(state);
  }

  /** Draws: it is in a page now. */
  connectedCallback(): void {
    this.#life = new AbortController();
    for (const name of PROPERTIES) this.#takeEarly(name);
    // JSON inside may be parsed, or put there, after the element itself.
    const observer = new MutationObserver(() => {
      if (this.#data === undefined && !this.hasAttribute("data") && !this.src) void this.#show();
    });
    observer.observe(this, { childList: true, characterData: true, subtree: true });
    this.#life.signal.addEventListener("abort", () => observer.disconnect());
    void this.#show();
  }

  /** Empties it, and keeps its state. */
  disconnectedCallback(): void {
    this.#state = this.state;
    this.#life.abort();
    this.#view?.destroy();
    this.#view = undefined;
  }

  /** Follows its attributes. */
  attributeChangedCallback(name: string, _: string | null, value: string | null): void {
    if (name === "theme") this.style.colorScheme = value === "light" || value === "dark" ? value : "";
    else void this.#show();
  }

  /** A property that was set before the element was defined would hide the one of its class. */
  #takeEarly(name: (typeof PROPERTIES)[number]): void {
    if (!Object.hasOwn(this, name)) return;
    const value = this[name];
    delete this[name];
    this[name] = value as never;
  }

  async #show(): Promise<void> {
    if (!this.isConnected) return;
    const mine = ++this.#version;
    try {
      const found = await this.#find();
      if (mine !== this.#version || found === undefined || !this.isConnected) return;
      if (this.#view) await this.#view.setData(found);
      else await this.#mount(found);
      if (mine === this.#version) this.dispatchEvent(new Event("load"));
    } catch (error) {
      if (mine !== this.#version || this.#life.signal.aborted) return;
      this.#say(error as Error);
    }
  }

  async #mount(found: Mountable): Promise<void> {
    const view = mountedIn(this, found);
    this.#view = view;
    for (const event of EVENTS) view.on(event, (detail) => this.dispatchEvent(new CustomEvent(event, { detail })));
    await view.ready;
    if (this.#view === view) view.setState(this.#state);
  }

  /** What it is to show: of a property, an attribute, a file, or JSON inside it, the first that there is. */
  async #find(): Promise<Mountable | undefined> {
    const { src } = this;
    const name = decodeURIComponent(src.split("#")[1] ?? "");
    const attribute = this.getAttribute("data");
    if (this.#data !== undefined) return mountableOf(this.#data, this.shape);
    if (attribute !== null) return mountableOf(parsed(attribute, "The attribute data") as Data, this.shape);
    if (src) return mountableOf((await readJson(src, this.baseURI, this.#life.signal)) as Data, this.shape, name);
    const text = this.querySelector('script[type="application/json"]')?.textContent;
    return text?.trim() ? mountableOf(parsed(text, "The JSON in the element") as Data, this.shape) : undefined;
  }

  /** Says in its place why there is no picture. */
  #say(error: Error): void {
    this.#view?.destroy();
    this.#view = undefined;
    const words = document.createElement("p");
    words.setAttribute("role", "alert");
    words.textContent = error.message;
    (this.shadowRoot ?? this.attachShadow({ mode: "open" })).replaceChildren(words);
    this.dispatchEvent(new ErrorEvent("error", { error, message: error.message }));
  }
}
