import assert from 'node:assert/strict';

/** The depth at which protobuf's JSON parsers refuse a message. */
const DEEPEST = 90;
const UINT64 = 2n ** 64n;
const INT64 = 2n ** 63n;

interface LogRecord {
  readonly timeUnixNano?: string;
  readonly observedTimeUnixNano?: string;
  readonly severityNumber?: number;
  readonly severityText?: string;
  readonly body?: unknown;
  readonly attributes?: readonly unknown[];
  readonly traceId?: string;
  readonly spanId?: string;
}

interface ResourceLogs {
  readonly resource: { readonly attributes: readonly unknown[] };
  readonly scopeLogs: readonly { readonly logRecords: readonly LogRecord[] }[];
}

interface LokiStream {
  readonly stream: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [time: string, line: string])[];
}

const FIELDS = new Set([
  'timeUnixNano',
  'observedTimeUnixNano',
  'severityNumber',
  'severityText',
  'body',
  'attributes',
  'traceId',
  'spanId',
]);

/** Checks a body against OTLP's JSON schema as protobuf's parsers do; returns its records. */
export function strictOtlp(body: string): LogRecord[] {
  const document = JSON.parse(body);
  assert.deepEqual(Object.keys(document), ['resourceLogs']);
  const records: LogRecord[] = document.resourceLogs.flatMap((one: ResourceLogs) => {
    pairs(one.resource.attributes, 0);
    return one.scopeLogs.flatMap(({ logRecords }) => logRecords);
  });
  for (const record of records) {
    for (const name of Object.keys(record)) assert.ok(FIELDS.has(name), name);
    for (const time of [record.timeUnixNano, record.observedTimeUnixNano]) {
      if (time === undefined) continue;
      assert.match(time, /^\d+$/);
      assert.ok(BigInt(time) < UINT64, time);
    }
    const { severityNumber = 0, severityText = '', traceId = 'a'.repeat(32) } = record;
    assert.ok(Number.isInteger(severityNumber) && severityNumber >= 0 && severityNumber <= 24);
    wellFormed(severityText);
    assert.match(traceId, /^[0-9a-f]{32}$/);
    assert.match(record.spanId ?? 'a'.repeat(16), /^[0-9a-f]{16}$/);
    if (record.body !== undefined) anyValue(record.body, 0);
    pairs(record.attributes ?? [], 0);
  }
  return records;
}

function pairs(list: readonly unknown[], depth: number): void {
  const seen = new Set<string>();
  for (const { key, value, ...rest } of list as { key: string; value: unknown }[]) {
    assert.deepEqual(rest, {});
    wellFormed(key);
    assert.notEqual(key, '');
    assert.ok(!seen.has(key), `attribute ${key} occurs twice`);
    seen.add(key);
    anyValue(value, depth);
  }
}

function anyValue(value: unknown, depth: number): void {
  assert.ok(depth < DEEPEST, 'nested too deeply');
  const entries = Object.entries(value as Record<string, never>);
  assert.ok(entries.length <= 1);
  for (const [kind, content] of entries as [string, unknown][]) {
    switch (kind) {
      case 'stringValue':
        wellFormed(content as string);
        break;
      case 'boolValue':
        assert.equal(typeof content, 'boolean');
        break;
      case 'intValue':
        assert.match(content as string, /^-?\d+$/);
        assert.ok(BigInt(content as string) < INT64 && BigInt(content as string) >= -INT64);
        break;
      case 'doubleValue':
        assert.equal(typeof content, 'number');
        break;
      case 'arrayValue':
        for (const one of (content as { values: unknown[] }).values) anyValue(one, depth + 2);
        break;
      case 'kvlistValue':
        pairs((content as { values: unknown[] }).values, depth + 2);
        break;
      default:
        assert.fail(`unknown kind of value ${kind}`);
    }
  }
}

/** Checks a body of Loki's push API; returns its entries with their labels. */
export function strictLoki(body: string): { stream: object; time: string; line: string }[] {
  const document = JSON.parse(body);
  assert.deepEqual(Object.keys(document), ['streams']);
  return document.streams.flatMap(({ stream, values, ...rest }: LokiStream) => {
    assert.deepEqual(rest, {});
    const labels = Object.entries(stream);
    assert.ok(labels.length > 0 && labels.length <= 15);
    for (const [name, value] of labels) {
      assert.match(name, /^[a-zA-Z_][a-zA-Z0-9_]*$/);
      wellFormed(value);
      assert.ok(value.length <= 2048);
    }
    return values.map(([time, line]) => {
      assert.match(time, /^\d+$/);
      assert.ok(BigInt(time) < INT64, time);
      wellFormed(line);
      assert.ok(
        Buffer.byteLength(line) <= 256 * 1024,
        `a line of ${Buffer.byteLength(line)} bytes`,
      );
      return { stream, time, line };
    });
  });
}

function wellFormed(text: string): void {
  assert.equal(typeof text, 'string');
  assert.ok(text.isWellFormed(), `a lone surrogate in ${JSON.stringify(text)}`);
}
