import { rfc3339 } from '@sidekit/core';
import type { Content } from '../content.ts';
import type { Source } from './source.ts';

/** `date` is what date(1) prints in the C locale. */
export type ClockFormat = 'date' | 'rfc3339' | 'rfc9110' | 'unix';

/** Delivers the time as a line at every check. */
export function clockSource(
  { clockFormat, clockMode }: { clockFormat: ClockFormat; clockMode: 'append' | 'replace' },
  now: () => Date = () => new Date(),
): Source {
  return {
    poll: async (): Promise<Content> => {
      const text = `${formatTime(now(), clockFormat)}\n`;
      if (clockMode === 'append') return { kind: 'line', text };
      return { kind: 'file', chunks: [Buffer.from(text)] };
    },
  };
}

export function formatTime(date: Date, format: ClockFormat): string {
  if (format === 'rfc3339') return rfc3339(date.getTime());
  if (format === 'rfc9110') return date.toUTCString();
  if (format === 'unix') return String(Math.floor(date.getTime() / 1000));
  // Sat, 21 Nov 2026 06:22:41 GMT → Sat Nov 21 06:22:41 UTC 2026
  const [weekday = '', day = '', month, year, time] = date.toUTCString().split(/,? /);
  return `${weekday} ${month} ${String(Number(day)).padStart(2)} ${time} UTC ${year}`;
}
