/** Colours of tokens and cells as classes of the page. */
import { darkOf, inkOn } from "../color.ts";

/** The classes that colour tokens, collected while a page is written, so that it holds only those in use. */
export class TokenColors {
  readonly #classes = new Map<string, string>();

  /** The class of a token in this colour. */
  of(color: string): string {
    let name = this.#classes.get(color);
    if (!name) this.#classes.set(color, (name = `k${this.#classes.size}`));
    return name;
  }

  rules(dark: boolean): string {
    return [...this.#classes]
      .map(([color, name]) => {
        const background = dark ? (darkOf(color) ?? color) : color;
        return `.${name}{background:${background};color:${inkOn(background)}}`;
      })
      .join("");
  }
}
