/** What a line says, by field name; `time` is RFC 3339 in UTC. */
export type LogRecord = Record<string, unknown>;

/** Reads one line: its record, or why it is none. Never throws, and takes linear time. */
export type Parser = (line: string) => LogRecord | string;
