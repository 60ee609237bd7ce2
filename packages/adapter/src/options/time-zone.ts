import { Broken, refine, text } from '@sidekit/core';
import { timeZone } from '../parse/time-zone.ts';

/** The name of a time zone that this Node.js knows. */
export const zoneName = refine(text('time zone'), (name) => {
  try {
    timeZone(name);
    return undefined;
  } catch {
    return new Broken(
      'is not a time zone of the IANA database',
      'write its name, such as Europe/Berlin',
    );
  }
});
