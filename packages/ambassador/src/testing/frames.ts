import net from 'node:net';
import { eventually } from '@sidekit/test-kit';

/** Frame types and flags of RFC 9113 §6. */
export const Type = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;
export const Flag = { ack: 1, endStream: 1, endHeaders: 4, padded: 8 } as const;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

/** Encodes a frame (RFC 9113 §4.1). */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer | string = '',
): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload;
  const head = Buffer.alloc(9);
  head.writeUIntBE(bytes.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, bytes]);
}

/** Encodes a field list as HPACK literals, not indexed and without Huffman (RFC 7541 §6.2.2). */
export function literals(fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(
    fields.map(([name, value]) => Buffer.concat([Buffer.from([0]), text(name), text(value)])),
  );
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const size: number[] = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest >>= 7) size.push((rest & 127) | 128);
  size.push(rest);
  return Buffer.concat([Buffer.from(size), bytes]);
}

/** The fields of a plain GET. */
export const GET: readonly (readonly [string, string])[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'a'],
];

/** One end of an HTTP/2 connection that sends any frames, valid or not, and records what it received. */
export class FramePeer implements Disposable {
  readonly socket: net.Socket;
  readonly frames: Frame[] = [];
  ended = false;
  #unread: Buffer = Buffer.alloc(0);
  /** Bytes of a preface that are still to come. */
  #preface: number;

  /** @param preface bytes that come before the first frame. */
  constructor(socket: net.Socket, preface = 0) {
    this.socket = socket;
    this.#preface = preface;
    socket.on('data', (chunk) => this.#receive(chunk as Buffer));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.ended = true;
    });
  }

  send(...frames: readonly Buffer[]): void {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(frames));
  }

  /** Is called with each frame. */
  onFrame(_frame: Frame): void {}

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #receive(chunk: Buffer) {
    let rest = Buffer.concat([this.#unread, chunk]);
    const preface = Math.min(this.#preface, rest.length);
    this.#preface -= preface;
    rest = rest.subarray(preface);
    while (rest.length >= 9) {
      const length = rest.readUIntBE(0, 3);
      if (rest.length < 9 + length) break;
      const [type, flags] = [rest[3]!, rest[4]!];
      const payload = rest.subarray(9, 9 + length);
      const one = { type, flags, stream: rest.readUInt32BE(5) & 0x7fffffff, payload };
      this.frames.push(one);
      if (type === Type.settings && !(flags & Flag.ack))
        this.send(frame(Type.settings, Flag.ack, 0));
      this.onFrame(one);
      rest = rest.subarray(9 + length);
    }
    this.#unread = rest;
  }
}

/** A client. */
export class FrameClient extends FramePeer {
  /** @param settings the payload of the first SETTINGS. @param preface sent first. */
  constructor(port: number, settings: Buffer | string = '', preface: string = PREFACE) {
    super(net.connect({ port, host: '127.0.0.1', noDelay: true }));
    this.socket.write(preface, 'latin1');
    this.send(frame(Type.settings, 0, 0, settings));
  }

  /** Waits for a frame. */
  async wait(what: string, match: (one: Frame) => boolean): Promise<Frame> {
    await eventually(() => this.ended || this.frames.some(match), {
      what: `${what}, having ${this.frames.map(({ type, stream }) => `${type}/${stream}`)}`,
      interval: 1,
    });
    const found = this.frames.find(match);
    if (!found) throw new Error(`closed before ${what}`);
    return found;
  }

  /** Waits for the outcome of a stream: a status, `reset CODE`, `goaway CODE` or `closed`. */
  async outcome(stream: number): Promise<string> {
    const ends = (one: Frame) =>
      (one.stream === stream && (one.type === Type.headers || one.type === Type.reset)) ||
      (one.type === Type.goaway && one.payload.readUInt32BE(4) !== 0);
    await eventually(() => this.ended || this.frames.some(ends), {
      what: `the outcome of stream ${stream}`,
      interval: 1,
    });
    const found = this.frames.find(ends);
    if (!found) return 'closed';
    if (found.type === Type.headers) return statusOf(found.payload);
    return found.type === Type.reset
      ? `reset ${found.payload.readUInt32BE(0)}`
      : `goaway ${found.payload.readUInt32BE(4)}`;
  }
}

/** The static table's statuses (RFC 7541 appendix A), from index 8. */
const STATUSES = ['200', '204', '206', '304', '400', '404', '500'];
/** The Huffman codes of the digits (RFC 7541 appendix B). */
const DIGITS = ['00000', '00001', '00010', '011001', '011010', '011011', '011100', '011101'];

/** Reads the status of the first response on a connection, which its head begins with. */
function statusOf(block: Buffer): string {
  let at = 0;
  // Updates of the dynamic table's size (§6.3).
  while ((block[at]! & 0xe0) === 0x20) at += 1 + (((block[at]! & 31) === 31) as unknown as number);
  const first = block[at]!;
  if (first >= 0x88 && first <= 0x8e) return STATUSES[first - 0x88]!;
  const length = block[at + 1]! & 0x7f;
  const value = block.subarray(at + 2, at + 2 + length);
  if ((block[at + 1]! & 0x80) === 0) return value.toString('latin1');
  let bits = [...value].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  let status = '';
  const codes = [...DIGITS, '011110', '011111'];
  for (let i = 0; i < 3; i++) {
    const digit = codes.findIndex((code) => bits.startsWith(code));
    status += digit;
    bits = bits.slice(codes[digit]?.length ?? 0);
  }
  return status;
}
