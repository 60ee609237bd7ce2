/** A message with one text: `demo.Message`; the service of a `HealthCheckRequest`. */
export interface Message {
  readonly text: string;
}

/** Encodes a message whose field 1 is a text: `demo.Message`, `HealthCheckRequest`. */
export function encodeMessage({ text }: Message): Buffer {
  const bytes = Buffer.from(text);
  return bytes.length === 0
    ? bytes
    : Buffer.concat([Buffer.from([10, ...varint(bytes.length)]), bytes]);
}

/** `HealthCheckResponse`. */
export interface Health {
  readonly status: number;
}

/** Encodes `HealthCheckResponse { ServingStatus status = 1 }`. */
export function encodeStatus({ status }: Health): Buffer {
  return Buffer.from([8, ...varint(status)]);
}

/**
 * Decodes the text of field 1; empty if it is absent. Other fields are skipped, as protobuf wants.
 * @throws {RangeError} if the bytes are not a message.
 */
export function decodeMessage(bytes: Buffer): Message {
  let text = '';
  let at = 0;
  const number = () => {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 63; factor *= 128) {
      const byte = bytes.readUInt8(at++);
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    throw new RangeError('a number is too long');
  };
  while (at < bytes.length) {
    const tag = number();
    const wireType = tag & 7;
    if (wireType === 0) number();
    else {
      const size = SIZES[wireType] ?? number();
      if (wireType === 3 || wireType === 4 || wireType > 5) throw new RangeError('a group');
      if (size > bytes.length - at) throw new RangeError('a field is longer than its message');
      if (tag === 10) text = bytes.toString('utf8', at, at + size);
      at += size;
    }
  }
  return { text };
}

/** The sizes of fields with fixed ones, by wire type. */
const SIZES: Readonly<Record<number, number>> = { 1: 8, 5: 4 };

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 128);
  }
}
