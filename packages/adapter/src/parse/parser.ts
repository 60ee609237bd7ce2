/** The fields of a line by name; `time` is RFC 3339 in UTC. */
export type LogRecord = Record<string, unknown>;

/** Parses one line into a record, or returns the reason why it cannot. Never throws; linear time. */
export type Parser = (line: string) => LogRecord | string;

/** Sets a field even if it is called `__proto__`, as JSON.parse does: assigned, it would be lost. */
export function setField(record: LogRecord, name: string, value: unknown): void {
  if (name !== '__proto__') record[name] = value;
  else {
    const own = { value, configurable: true, enumerable: true, writable: true };
    Object.defineProperty(record, name, own);
  }
}
