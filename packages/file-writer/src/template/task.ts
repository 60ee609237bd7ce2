/** The variable that only the environment of the thread has. */
export const THREAD_MARK = 'SIDEKIT_TEMPLATE_THREAD';

/** The template that the thread renders. */
export interface Task {
  readonly text: string;
  /** The path of the template, for messages. */
  readonly path: string;
  /** The variables. */
  readonly scope: Readonly<Record<string, unknown>>;
  /** The largest output, in bytes. */
  readonly maxSize: number;
}

/** An answer of the thread: pieces of the output in order, then that it is done or why it failed. */
export type Message =
  | { readonly piece: string }
  | { readonly done: true }
  | { readonly fault: string };
