export interface TimedLine {
  /** RFC 3339 with nanoseconds, as the engine prints it. */
  readonly time: string;
  readonly text: string;
}

/** A time as engines print it before a line: always with nine digits. */
const TIME = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(?:Z|[+-]\d\d:\d\d)) /g;

/**
 * Splits a line of `logs --timestamps` into its time and its text. Podman logs what it has read of a
 * line as a part of its own, and prints the time of each further part in the middle of the text:
 * such times are taken out. They are not before that of the line, while a time that the program
 * wrote is.
 * @param now the time until which a part may have been read, in milliseconds of the epoch.
 */
export function timedLine(line: string, now: number = Date.now()): TimedLine {
  const space = line.indexOf(' ');
  const time = line.slice(0, space);
  const text = line.slice(space + 1);
  // Most lines have none.
  if (!text.includes('T')) return { time, text };
  const ofPart = (found: string) => found >= time && Date.parse(found) <= now;
  const without = text.replace(TIME, (all, found: string) => (ofPart(found) ? '' : all));
  return { time, text: without };
}
