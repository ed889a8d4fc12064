/** Whether it is dark where an element is: a page says so by `color-scheme`, of its root, of any element, or as a meta tag. */

/**
 * Calls `act` now and whenever it becomes dark or light there, for as long as `life` lasts.
 * @param ground an element with the background colour `Canvas`, which is what the browser makes of all that
 */
export function onTheme(ground: Element, host: Element, act: (dark: boolean) => void, life: AbortSignal): void {
  const isDark = () => {
    const [red, green, blue] = getComputedStyle(ground)
      .backgroundColor.match(/[\d.]+/g)!
      .map(Number);
    return red + green + blue < 3 * 128;
  };
  let dark = isDark();
  act(dark);
  const look = () => {
    if (isDark() === dark) return;
    dark = !dark;
    act(dark);
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", look, { signal: life });
  // A page's own switch changes an attribute of these.
  const observer = new MutationObserver(look);
  for (const one of [document.documentElement, document.body, host]) observer.observe(one, { attributes: true });
  life.addEventListener("abort", () => observer.disconnect());
}
