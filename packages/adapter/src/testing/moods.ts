import type { Receiver } from './receiver.ts';
import { POISON } from './written-log.ts';

/** How a receiver treats requests. */
export type Mood = (typeof MOODS)[number];

export const MOODS = [
  ...(['well', 'down', 'expired', 'limited', 'picky'] as const),
  ...(['silent', 'broken', 'partial'] as const),
] as const;

/** The largest request of a receiver with a limit, in bytes. */
const LIMIT = 1500;

/** Makes a receiver treat requests so from now on; those that are waiting for a response get none. */
export function setMood(receiver: Receiver, mood: Mood): void {
  receiver.down = mood === 'down';
  receiver.silent = mood === 'silent';
  receiver.broken = mood === 'broken';
  receiver.respond = (body) => {
    switch (mood) {
      case 'expired':
        return { status: 401, body: 'the token has expired' };
      case 'limited':
        return body.length > LIMIT ? { status: 413 } : undefined;
      case 'picky':
        return body.includes(POISON) ? { status: 400, body: 'poison' } : undefined;
      case 'partial':
        return { status: 200, body: '{"partialSuccess":{"rejectedLogRecords":"1"}}' };
      default:
        return undefined;
    }
  };
}
