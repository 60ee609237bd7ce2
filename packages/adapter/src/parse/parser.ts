/** The fields of a line by name; `time` is RFC 3339 in UTC. */
export type LogRecord = Record<string, unknown>;

/** Parses one line into a record, or returns the reason why it cannot. Never throws; linear time. */
export type Parser = (line: string) => LogRecord | string;
