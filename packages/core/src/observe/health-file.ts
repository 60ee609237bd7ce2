import { errorText } from '../errors.ts';
import { writeFileAtomic } from '../io/atomic-file.ts';
import type { Health } from './health.ts';
import type { Log } from './log.ts';

/**
 * Keeps `path` equal to the health, as JSON with `startup`, `ready` and `live`, so that another
 * container of the Pod can wait for it on a shared volume. Returns the function that ends it,
 * after a last write.
 */
export function keepHealthFile(path: string, health: Health, log: Log): () => Promise<void> {
  let writing = Promise.resolve();
  let last = '';
  const write = () => {
    writing = writing.then(async () => {
      const text = healthJson(health);
      if (text === last) return;
      try {
        await writeFileAtomic(path, text, { mode: 0o644 });
        last = text;
      } catch (error) {
        log.warn('the health file was not written', { path, error: errorText(error) });
      }
    });
  };
  const end = health.onChange(write);
  write();
  return () => {
    end();
    write();
    return writing;
  };
}

function healthJson(health: Health): string {
  const { startup, ready, live } = {
    startup: health.report('startup'),
    ready: health.report('ready'),
    live: health.report('live'),
  };
  return `${JSON.stringify({ startup, ready, live }, null, 2)}\n`;
}
