/** How far something is: a bar, and what is counted. */
import type { Progress } from "./messages.ts";

export function ProgressLine({
  running,
  progress,
}: {
  readonly running: boolean;
  readonly progress: Progress | undefined;
}) {
  if (!running) return null;
  const text = progress ? textOf(progress) : "running";
  return (
    <span class="progress">
      <progress
        {...(progress && progress.total > 0 ? { value: progress.done, max: progress.total } : {})}
        aria-label={text}
      />
      <small>{text}</small>
    </span>
  );
}

function textOf({ done, total, unit, bytes }: Progress): string {
  if (!bytes) return `${done} of ${total} ${unit}`;
  const show = (n: number) => `${(n / 1e6).toFixed(1)} MB`;
  return `${unit}: ${show(done)}${total > 0 ? ` of ${show(total)}` : ""}`;
}
