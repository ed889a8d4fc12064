/** What a command writes to, and what stops it. */
export interface Terminal {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly signal: AbortSignal;
  /** From now on a signal leaves the command the time to come to an end by itself; a second one does not. */
  readonly finishOnSignal: () => void;
  /** Does work that lets nothing else happen meanwhile: a signal then ends the process as if nobody looked at signals. */
  readonly busy: <T>(work: () => T) => Promise<T>;
}
