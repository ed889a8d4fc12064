/** The slider and the buttons of a graph. */
import { all, closest, on, the } from "../root.ts";
import type { GraphView } from "./view.ts";

export function listenToTools(view: GraphView, life: AbortSignal): void {
  const tools = the(".tools", view.element);
  const slide = ({ target }: Event) => {
    const field = target as HTMLInputElement;
    if (field.name === "share") view.change({ share: Number(field.value) / 100 });
  };
  on(tools, "input", slide, life);
  for (const button of all("[data-view]", tools)) {
    const pinnedOnly = button.dataset.view === "pinned";
    on(button, "click", () => view.change({ pinnedOnly, locked: [] }), life);
  }
  const label = the<HTMLInputElement>("[name=label]", tools);
  const group = () => {
    view.group(label.value.trim());
    label.value = "";
    view.focus();
  };
  const acts: Readonly<Record<string, () => void>> = {
    group,
    ungroup: () => {
      view.ungroup();
      view.focus();
    },
    pin: () => view.pin(view.state.locked),
  };
  for (const button of all("[data-act]", tools)) on(button, "click", acts[button.dataset.act!], life);
  const enter = (event: KeyboardEvent) => {
    const isReady = !the<HTMLButtonElement>("[data-act=group]", tools).disabled;
    if (event.key === "Enter" && closest(event, "[name=label]") && isReady) group();
  };
  on(tools, "keydown", enter, life);
}
