import { type LogRecord, type Parser, setField } from './parser.ts';
import { isoTime } from './time.ts';

/** The name of a `time` of the text that is no time: that of its container is kept. */
const NO_TIME = 'original.time';

/**
 * Creates a function that parses the text of a field, such as the JSON that an application wrote
 * into a container's log. The fields that it finds take the place of that field, and of others
 * with their names, except that a time stays unless there is another. It returns false, and leaves the record as it is, if the text is not in the
 * format; a record without such a text is left as it is too.
 */
export function nestedParser(field: string, parse: Parser): (record: LogRecord) => boolean {
  return (record) => {
    const text = record[field];
    if (typeof text !== 'string') return true;
    const parsed = parse(text);
    if (typeof parsed === 'string') return false;
    delete record[field];
    const isTime = typeof parsed.time === 'string' && isoTime(parsed.time) !== undefined;
    const keepsTime = record.time !== undefined && !isTime;
    for (const name of Object.keys(parsed)) {
      setField(record, name === 'time' && keepsTime ? NO_TIME : name, parsed[name]);
    }
    return true;
  };
}
