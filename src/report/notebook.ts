/** What a notebook shows of findings, pictures and tensors besides text. */
import type { Finding } from "../finding/finding.ts";
import { Tensor } from "../graph/tensor.ts";
import { renderHtml } from "./html.ts";
import { isPicture } from "./picture.ts";
import { tensorTable } from "./tensor-table.ts";

/** The height of a report in a notebook, where it scrolls, in CSS pixels. */
const REPORT_HEIGHT = 720;
/** What a picture's page has around the picture: its title, caption and controls. */
const AROUND_PICTURE = 180;

/**
 * By MIME type. Pages, which have scripts, stand in frames: nothing of the notebook can be reached from them. A picture is also
 * there as SVG, for where no HTML is shown.
 */
export async function notebookOf(x: object): Promise<Readonly<Record<string, string>>> {
  if (x instanceof Tensor) return x.computed ? { "text/html": tensorTable(x) } : {};
  if (isPicture(x)) {
    const svg = await x.svg();
    const height = Number(/^<svg[^>]* height="([\d.]+)"/.exec(svg)?.[1] ?? REPORT_HEIGHT);
    return { "text/html": frame(await x.html(), height + AROUND_PICTURE), "image/svg+xml": svg };
  }
  return isFinding(x) ? { "text/html": frame(await renderHtml(x), REPORT_HEIGHT) } : {};
}

/** A page within a page, which cannot reach what is around it. */
function frame(page: string, height: number): string {
  const quoted = page.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  const style = `width:100%;height:${Math.ceil(height)}px;border:0;resize:vertical;overflow:auto`;
  return `<iframe sandbox="allow-scripts allow-downloads" style="${style}" srcdoc="${quoted}"></iframe>`;
}

function isFinding(x: object): x is Finding {
  const { tables, pictures, summary, baselines } = x as Partial<Finding>;
  return [tables, pictures, summary, baselines].every(Array.isArray);
}
