import { isIPv4, isIPv6 } from 'node:net';

/** The bounds of a head in bytes: of version 1 (§2.1 of HAProxy's proxy-protocol.txt), and of all. */
const MAX_TEXT = 107;
export const MAX_HEAD = 536;

const SIGNATURE: Buffer = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const TEXT: Buffer = Buffer.from('PROXY ', 'latin1');
/** Bytes before the addresses of version 2. */
const FIXED = 16;

/** A head that was read: the bytes that it takes, and the client's address if it has one. */
export interface ProxyHead {
  readonly length: number;
  readonly address: string | undefined;
}

/**
 * Reads a head of the PROXY protocol, version 1 or 2.
 * @returns undefined if it is incomplete, and a reason if it is malformed.
 */
export function readHead(bytes: Buffer): ProxyHead | string | undefined {
  if (beginsWith(bytes, SIGNATURE)) return bytes.length < FIXED ? undefined : readBinary(bytes);
  if (beginsWith(bytes, TEXT)) return readText(bytes);
  return 'no head of the PROXY protocol';
}

/** Whether bytes begin with a text, as far as they have arrived. */
function beginsWith(bytes: Buffer, text: Buffer): boolean {
  const length = Math.min(bytes.length, text.length);
  return text.compare(bytes, 0, length, 0, length) === 0;
}

/** Reads version 1 (§2.1). */
function readText(bytes: Buffer): ProxyHead | string | undefined {
  const text = bytes.toString('latin1', 0, MAX_TEXT);
  const end = text.indexOf('\r\n');
  if (end === -1) return bytes.length < MAX_TEXT ? undefined : 'the head has no end';
  const length = end + 2;
  const line = text.slice(TEXT.length, end);
  if (line === 'UNKNOWN' || line.startsWith('UNKNOWN ')) return { length, address: undefined };
  const [family, source = '', destination = '', from = '', to = '', ...rest] = line.split(' ');
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isGlobalIPv6 : () => false;
  const good =
    rest.length === 0 && [source, destination].every(isAddress) && [from, to].every(isPort);
  return good ? { length, address: source } : 'the head is malformed';
}

/** Whether a text is an address of IPv6 without a zone, which has no meaning on another machine. */
function isGlobalIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

/** The address families and transports of version 2 (§2.2), with the bytes of their addresses. */
const FAMILIES: ReadonlyMap<number, number> = new Map([
  [0x00, 0],
  [0x11, 12],
  [0x12, 12],
  [0x21, 36],
  [0x22, 36],
  [0x31, 216],
  [0x32, 216],
]);
const TCP4 = 0x11;
const TCP6 = 0x21;
const LOCAL = 0x20;
const PROXY = 0x21;

/** Reads version 2 (§2.2). What follows the addresses, the TLVs, is skipped. */
function readBinary(bytes: Buffer): ProxyHead | string | undefined {
  const command = bytes[12]!;
  const family = bytes[13]!;
  const length = FIXED + bytes.readUInt16BE(14);
  if (length > MAX_HEAD) return 'the head is too large';
  if (command !== LOCAL && command !== PROXY) return 'the version or command is unknown';
  // Whatever follows LOCAL is ignored, the family too.
  const size = command === LOCAL ? 0 : FAMILIES.get(family);
  if (size === undefined) return 'the address family is unknown';
  if (length < FIXED + size) return 'the addresses are incomplete';
  if (bytes.length < length) return undefined;
  if (command === LOCAL) return { length, address: undefined };
  if (family === TCP4) return { length, address: [...bytes.subarray(16, 20)].join('.') };
  return { length, address: family === TCP6 ? addressOf(bytes.subarray(16, 32)) : undefined };
}

/** Formats an address of IPv6, or of IPv4 within it. */
function addressOf(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16));
  // The parser of URLs has the canonical form (RFC 5952).
  const text = new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
  const mapped =
    bytes.subarray(0, 10).every((byte) => byte === 0) && bytes.readUInt16BE(10) === 0xffff;
  return mapped ? [...bytes.subarray(12)].join('.') : text;
}
