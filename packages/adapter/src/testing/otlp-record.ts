import type { Received } from './receiver.ts';
import { strictOtlp } from './strict.ts';

interface Value {
  readonly stringValue?: string;
  readonly intValue?: string;
  readonly boolValue?: boolean;
}

interface OtlpRecord {
  readonly body?: unknown;
  readonly attributes?: readonly unknown[];
}

/** Returns a log record of OTLP as a JSON line has it, with its simple fields. */
export function recordOf({ body, attributes = [] }: OtlpRecord): Record<string, unknown> {
  const record: Record<string, unknown> = { message: plain(body as Value) };
  for (const { key, value } of attributes as { key: string; value: Value }[]) {
    record[key] = plain(value);
  }
  return record;
}

function plain({ stringValue, intValue, boolValue }: Value = {}): unknown {
  return stringValue ?? (intValue === undefined ? boolValue : Number(intValue));
}

const known = new WeakMap<Received, Record<string, unknown>[]>();

/** Returns the records of requests in the order of their arrival; each body is checked once. */
export function otlpRecords(requests: readonly Received[]): Record<string, unknown>[] {
  return requests.flatMap((request) => {
    let records = known.get(request);
    if (!records) {
      records = strictOtlp(request.body).map(recordOf);
      known.set(request, records);
    }
    return records;
  });
}
