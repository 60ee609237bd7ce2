import { Failure } from '../failure.ts';

/** One packet of git's wire format (gitprotocol-common(5)). */
export type Packet = Buffer | 'flush' | 'delimiter' | 'end';

export const FLUSH = '0000';
export const DELIMITER = '0001';

/** Encodes a text as a packet: its length in four hexadecimal digits, these included, then the text. */
export function packet(text: string): string {
  return (Buffer.byteLength(text) + 4).toString(16).padStart(4, '0') + text;
}

/** Splits a stream into packets. @throws {Failure} if it has another format, or ends inside a packet. */
export async function* readPackets(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Packet> {
  let rest = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    let offset = 0;
    while (rest.length - offset >= 4) {
      const length = lengthOf(rest, offset);
      if (length < 4) {
        offset += 4;
        yield length === 0 ? 'flush' : length === 1 ? 'delimiter' : 'end';
        continue;
      }
      if (rest.length - offset < length) break;
      yield rest.subarray(offset + 4, offset + length);
      offset += length;
    }
    rest = rest.subarray(offset);
  }
  if (rest.length > 0)
    throw new Failure('git_protocol', 'the git server ended in the middle of a packet');
}

function lengthOf(bytes: Buffer, offset: number): number {
  const digits = bytes.toString('latin1', offset, offset + 4);
  const length = /^[0-9a-fA-F]{4}$/.test(digits) ? Number.parseInt(digits, 16) : 3;
  if (length !== 3) return length;
  throw new Failure(
    'git_protocol',
    `the git server sent ${JSON.stringify(digits)} instead of the start of a packet: is this the URL of a repository?`,
  );
}

/** Decodes a packet as text, without the line feed that lines may end with. */
export function lineOf(bytes: Buffer): string {
  return bytes.toString('utf8', 0, bytes.at(-1) === 0x0a ? bytes.length - 1 : bytes.length);
}
