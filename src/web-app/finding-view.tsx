/** The finding of the analysis that is shown. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Finding } from "../finding/finding.ts";
import { MountedView } from "../report/mount/mounted-view.ts";
import type { Mountable, ViewPlace } from "../report/mount.ts";
import { placeIn } from "../report/page/client/places.ts";
import { reading } from "../report/parts.ts";
import { pictureOf } from "../report/views/picture-of.ts";
import { change, changePictures, state } from "./store.ts";

/** Above the finding, the page has its question. */
const WITHOUT_TITLE = "header h1, header .kicker { display: none; }";

interface FindingViewProps {
  readonly finding: Finding;
  /** Whether another takes its place soon: what is below the window then comes with that, unless somebody wants it earlier. */
  readonly stored?: boolean;
  /** Its answer's picture alone, without words. */
  readonly only?: boolean;
  /** Whether heads, switches and zoom of its pictures are part of the page's state. */
  readonly remembered?: boolean;
}

export function FindingView({ finding, stored = false, only = false, remembered = false }: FindingViewProps) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<MountedView>(undefined);
  const drawn = useSignal<Finding | undefined>(undefined);
  const { selection, pictures } = state.value;
  const show = () => {
    const { selection, pictures } = state.peek();
    const selected = placeOf(selection);
    if (remembered) view.current?.showChanged(selected, pictures);
    else view.current?.setState({ selected });
  };
  useEffect(() => () => view.current?.destroy(), []);
  useEffect(() => {
    view.current ??= mounted(place.current!, remembered);
    let isLast = true;
    const end = () => {
      if (!isLast) return;
      drawn.value = finding;
      show();
    };
    view.current.setData(shown(finding, only), stored ? wanted() : undefined).then(end, end);
    return () => {
      isLast = false;
    };
  }, [finding, only]);
  useEffect(show, [selection, pictures]);
  return <div class={`finding${drawn.value ? "" : " undrawn"}`} aria-busy={drawn.value !== finding} ref={place} />;
}

/** How long what is below the window may wait, in ms: mostly the finding that takes its place comes earlier, and has it all. */
const REST = 3000;

/** Once somebody uses the page, and in any case after a while. */
function wanted(): Promise<void> {
  return new Promise((go) => {
    setTimeout(go, REST);
    for (const event of ["scroll", "pointermove", "pointerdown", "keydown"])
      addEventListener(event, () => go(), { once: true });
  });
}

function shown(finding: Finding, only: boolean): Mountable {
  const answer = only ? reading(finding).answer : undefined;
  return answer ? pictureOf(answer, finding.tables) : finding;
}

function mounted(element: HTMLElement, remembered: boolean): MountedView {
  const host = document.createElement("div");
  host.className = "glassformer";
  element.append(host);
  const view = new MountedView(host);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(WITHOUT_TITLE);
  host.shadowRoot!.adoptedStyleSheets.push(sheet);
  view.listen("select", (place) => change({ selection: textOf(place) }));
  if (remembered) view.listen("change", () => changePictures(view.changed));
  return view;
}

/** A place as the state has it: "layer=0 head=3". */
function textOf(place: ViewPlace | null): string {
  return Object.entries(place ?? {})
    .map(([axis, value]) => `${axis}=${value}`)
    .join(" ");
}

function placeOf(text: string): ViewPlace | null {
  return text === "" ? null : placeIn(text);
}
