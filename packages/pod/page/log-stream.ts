import type { LogBatch, LogLine } from '../src/view/model.ts';

/** The most lines that the page keeps; the oldest are dropped. */
const MAX_LINES = 100_000;

export interface LogState {
  readonly lines: readonly LogLine[];
  readonly skipped: number;
}

/** Follows the logs of a Pod; returns the function that ends it. */
export function followLogs(pod: string, onState: (state: LogState) => void): () => void {
  let lines: LogLine[] = [];
  let skipped = 0;
  let fresh = true;
  const source = new EventSource(`logs?pod=${encodeURIComponent(pod)}`);
  source.onopen = () => {
    fresh = true;
  };
  source.onmessage = ({ data }) => {
    const batch: LogBatch = JSON.parse(data);
    // After a reconnection the last lines come again.
    if (fresh) [lines, skipped, fresh] = [[], 0, false];
    skipped += batch.skipped;
    const sorted = [...batch.lines].sort((a, b) =>
      a.time < b.time ? -1 : a.time > b.time ? 1 : 0,
    );
    lines = [...lines, ...sorted];
    if (lines.length > MAX_LINES) lines = lines.slice(-MAX_LINES);
    onState({ lines, skipped });
  };
  return () => source.close();
}
