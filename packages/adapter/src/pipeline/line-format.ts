import type { Received } from '../input/spool/spool-line.ts';
import type { AccessMetrics } from '../observe/log-metrics.ts';
import type { FastParser } from '../parse/fast.ts';
import type { LogRecord, Parser } from '../parse/parser.ts';
import type { Joiner } from './joiner.ts';

/** How the lines of a log become records. */
export interface LineFormat {
  readonly parse: Parser;
  /** Reads a line of a spool; undefined for the lines of other files. */
  readonly received: ((line: string) => Received) | undefined;
  /** Parses the text of a field; false if it is not in its format. */
  readonly nested: ((record: LogRecord) => boolean) | undefined;
  /** Converts plain lines without a record; undefined if an option needs records. */
  readonly fast: FastParser | undefined;
  readonly joiner: Joiner | undefined;
  /** Counts the records of an access log. */
  readonly access: AccessMetrics | undefined;
  /** Takes the fast parser's counts of the last chunk, and adds them to the metrics if they count. */
  readonly tally: ((counted: boolean) => void) | undefined;
}
