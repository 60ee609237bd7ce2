import { type Context, createContext, Script } from 'node:vm';

/** A pattern such as `^(a+)+$` can take years for a body that was made for it. */
const LIMIT = 200;

const test = new Script('new RegExp(pattern).test(text)');
let context: (Context & { pattern?: string; text?: string }) | undefined;

/**
 * Whether a regular expression of the configuration matches the text of a stranger.
 * @throws Error if that takes longer than 200 ms, in which the event loop is blocked.
 */
export function matches(pattern: string, text: string): boolean {
  context ??= createContext({});
  Object.assign(context, { pattern, text });
  try {
    return test.runInContext(context, { timeout: LIMIT });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new Error(`to match ${pattern} takes longer than ${LIMIT} ms: simplify it`);
  } finally {
    Object.assign(context, { pattern: '', text: '' });
  }
}
