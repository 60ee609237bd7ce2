/**
 * Defines the messages. A plain message is a record's bytes, as any other program would send it.
 * A framed one starts with NUL, S, K and its type; numbers are big-endian:
 *
 *     batch   00 53 4b 01, count u32, lines
 *     data    00 53 4b 02, count u32, stream 8 B, sequence u64, unacknowledged u32, lines
 *     end     00 53 4b 03, as data; its one line is the exit message
 *     ack     00 53 4b 04, flags u32, stream 8 B, sequence u64
 *
 * Each line ends with a line feed. `sequence` is that of the first record, from 1; `sequence` −
 * `unacknowledged` is the lowest that the producer still keeps. An ack is for all records up to
 * its sequence; its flag 1 asks for everything after that to be sent again.
 */
export const FrameType = { batch: 1, data: 2, end: 3, ack: 4 } as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

export const BATCH_HEADER = 8;
export const DATA_HEADER = 28;
export const ACK_LENGTH = 24;

/** Reads the type of the message at `offset`; 0 if it is plain. */
export function frameType(bytes: Buffer, offset: number, length: number): FrameType | 0 {
  if (length < BATCH_HEADER || bytes[offset] !== 0) return 0;
  if (bytes[offset + 1] !== 0x53 || bytes[offset + 2] !== 0x4b) return 0;
  const type = bytes[offset + 3]!;
  if (type === FrameType.batch) return type;
  if (type === FrameType.ack) return length === ACK_LENGTH ? type : 0;
  return (type === FrameType.data || type === FrameType.end) && length >= DATA_HEADER ? type : 0;
}

export function writeBatchHeader(bytes: Buffer, offset: number, count: number): void {
  writeStart(bytes, offset, FrameType.batch, count);
}

/** Reads the number of records from the header of a framed message. */
export function frameCount(bytes: Buffer, offset: number): number {
  return bytes.readUInt32BE(offset + 4);
}

export interface DataHeader {
  readonly type: typeof FrameType.data | typeof FrameType.end;
  readonly count: number;
  /** 16 hexadecimal digits. */
  readonly stream: string;
  /** The sequence of the first record. */
  readonly sequence: number;
  /** The lowest sequence that the producer keeps. */
  readonly base: number;
}

export function writeDataHeader(bytes: Buffer, offset: number, header: DataHeader): void {
  writeStart(bytes, offset, header.type, header.count);
  bytes.write(header.stream, offset + 8, 8, 'hex');
  bytes.writeBigUInt64BE(BigInt(header.sequence), offset + 16);
  bytes.writeUInt32BE(header.sequence - header.base, offset + 24);
}

export function readDataHeader(bytes: Buffer, offset: number): DataHeader {
  const sequence = Number(bytes.readBigUInt64BE(offset + 16));
  return {
    type: bytes[offset + 3] as DataHeader['type'],
    count: bytes.readUInt32BE(offset + 4),
    stream: bytes.toString('hex', offset + 8, offset + 16),
    sequence,
    base: sequence - bytes.readUInt32BE(offset + 24),
  };
}

export interface Ack {
  readonly stream: string;
  /** All records up to this one are delivered. */
  readonly sequence: number;
  /** Whether everything after it is to be sent again. */
  readonly resume: boolean;
}

export function encodeAck({ stream, sequence, resume }: Ack): Buffer {
  const bytes = Buffer.alloc(ACK_LENGTH);
  writeStart(bytes, 0, FrameType.ack, resume ? 1 : 0);
  bytes.write(stream, 8, 8, 'hex');
  bytes.writeBigUInt64BE(BigInt(sequence), 16);
  return bytes;
}

/** Reads an acknowledgement; undefined if the message is none. */
export function decodeAck(bytes: Buffer): Ack | undefined {
  if (frameType(bytes, 0, bytes.length) !== FrameType.ack) return undefined;
  return {
    stream: bytes.toString('hex', 8, 16),
    sequence: Number(bytes.readBigUInt64BE(16)),
    resume: bytes.readUInt32BE(4) === 1,
  };
}

function writeStart(bytes: Buffer, offset: number, type: FrameType, number: number) {
  bytes[offset] = 0;
  bytes[offset + 1] = 0x53;
  bytes[offset + 2] = 0x4b;
  bytes[offset + 3] = type;
  bytes.writeUInt32BE(number, offset + 4);
}
