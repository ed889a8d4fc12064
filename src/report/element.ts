/** What notebooks show, as an element of a page. */
import { displayOf } from "../tensor/display.ts";
import { ArgumentError, GlassformerError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";

/**
 * A picture, a finding, a tensor, a cache or a model as an element, for Observable's cells and for plain pages:
 * `document.body.append(await element(imshow(pattern)))`. A picture or a finding is a frame of its page, which scripts cannot leave.
 * @throws ArgumentError for anything else, GlassformerError where there is no document
 */
export async function element(x: object): Promise<Element> {
  const display = displayOf(x);
  if (!display)
    throw new ArgumentError(`element takes a picture, a finding, a tensor or a cache, not ${shown(x)}.`, { asked: x });
  if (typeof document === "undefined") {
    throw new GlassformerError(
      "There is no document here to make an element of: svg(), html() or png() give a picture anywhere.",
    );
  }
  const { "text/html": html, "text/plain": text } = await display();
  const template = document.createElement(html ? "template" : "pre");
  if (!html) {
    template.textContent = text;
    return template;
  }
  template.innerHTML = html;
  return (template as HTMLTemplateElement).content.firstElementChild!;
}
