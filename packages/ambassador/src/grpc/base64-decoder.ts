/**
 * Decodes base64 (RFC 4648 §4) that arrives in pieces. Padding may end a part in the middle of a
 * stream, as gRPC-Web's text has it; anything else that is not base64 is refused.
 */
export class Base64Decoder {
  /** Up to three characters that wait for the rest of their group. */
  #rest = '';

  /** Whether no group is incomplete. */
  get complete(): boolean {
    return this.#rest === '';
  }

  /** Decodes a piece; undefined if it is malformed. */
  decode(piece: Buffer): Buffer | undefined {
    const text = this.#rest + piece.toString('latin1');
    const whole = text.length - (text.length % 4);
    this.#rest = text.slice(whole);
    if (!/^[A-Za-z0-9+/]*$/.test(this.#rest.replace(/(?<=^..)=$/, ''))) return undefined;
    const parts: Buffer[] = [];
    for (let at = 0; at < whole; ) {
      const padding = text.indexOf('=', at);
      // The group with padding is the last of its part.
      const end = padding === -1 || padding >= whole ? whole : padding - (padding % 4) + 4;
      const part = text.slice(at, end);
      if (!PART.test(part)) return undefined;
      parts.push(Buffer.from(part, 'base64'));
      at = end;
    }
    return Buffer.concat(parts);
  }
}

/** Groups of which the last may be padded. */
const PART = /^[A-Za-z0-9+/]+={0,2}$/;
