/** One line of a container runtime, which holds a message of an application or a part of one. */
export interface Enclosed {
  /** `stdout` or `stderr`, whose messages are interleaved. */
  readonly stream: string;
  readonly message: string;
  /** True if the next line of the stream continues this message. */
  readonly more: boolean;
}

/** A format in which a container runtime writes an application's output. */
export interface Envelope {
  /** Reads a line; undefined if it is not in the format. */
  open(line: string): Enclosed | undefined;
  /** Returns a line of the format like this one, with a complete message. */
  seal(line: string, message: string): string;
}
