/** The finding of the analysis that is shown. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Finding } from "../finding/finding.ts";
import { type Mountable, type Mounted, mount, type ViewPlace } from "../report/mount.ts";
import { placeIn } from "../report/page/client/places.ts";
import { reading } from "../report/parts.ts";
import { pictureOf } from "../report/views/picture-of.ts";
import { change, state } from "./store.ts";

/** Above the finding, the page has its question. */
const WITHOUT_TITLE = "header h1, header .kicker { display: none; }";

/** @param only its answer's picture, without words */
export function FindingView({ finding, only = false }: { readonly finding: Finding; readonly only?: boolean }) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<Mounted>(undefined);
  const isDrawn = useSignal(false);
  useEffect(() => () => view.current?.destroy(), []);
  useEffect(() => {
    const data = shown(finding, only);
    if (view.current) void view.current.setData(data);
    else {
      view.current = mounted(place.current!, data);
      const drawn = () => {
        isDrawn.value = true;
      };
      view.current.ready.then(drawn, drawn);
    }
    view.current.setState({ selected: placeOf(state.peek().selection) });
  }, [finding, only]);
  const { selection } = state.value;
  useEffect(() => view.current!.setState({ selected: placeOf(selection) }), [selection]);
  return <div class={`finding${isDrawn.value ? "" : " undrawn"}`} ref={place} />;
}

function shown(finding: Finding, only: boolean): Mountable {
  const answer = only ? reading(finding).answer : undefined;
  return answer ? pictureOf(answer, finding.tables) : finding;
}

function mounted(element: HTMLElement, data: Mountable): Mounted {
  const view = mount(element, data);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(WITHOUT_TITLE);
  element.lastElementChild!.shadowRoot!.adoptedStyleSheets.push(sheet);
  view.on("select", (place) => change({ selection: textOf(place) }));
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
