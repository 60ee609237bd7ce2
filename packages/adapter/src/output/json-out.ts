import type { Payload } from './batch.ts';

/**
 * Strings up to this length, in UTF-16 units, are written as a whole. The garbage of longer ones,
 * of which each may be six times as long in JSON, would pile up to the memory limit.
 */
const PIECE = 4096;

/** A value whose JSON is a string in other JSON. */
export class JsonText {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }

  /** For JSON.stringify. */
  toJSON(): string {
    return JSON.stringify(this.value);
  }
}

/** Writes values as JSON to a payload, on request in pieces, so that no string is as long as they are. */
export class JsonOut {
  /** Whether what was written as a whole may hold a lone surrogate. */
  isIllFormed = false;
  #payload: Payload | undefined;
  #inPieces = false;

  /** Turns to a payload. @param inPieces for records that may be long; they must be well-formed. */
  start(payload: Payload, inPieces: boolean): this {
    this.#payload = payload;
    this.#inPieces = inPieces;
    this.isIllFormed = false;
    return this;
  }

  /** Writes a value between two texts, which are written as they are. */
  value(before: string, value: unknown, after: string): void {
    if (!this.#inPieces) {
      this.#append(before + JSON.stringify(value) + after);
      return;
    }
    const pieces = new Pieces((text) => this.#payload?.append(text));
    pieces.add(before);
    pieces.value(value);
    pieces.add(after);
    pieces.end();
  }

  /** Writes the JSON of a value as a string between two texts, which are written as they are. */
  text(before: string, value: unknown, after: string): void {
    if (this.#inPieces) this.value(before, new JsonText(value), after);
    else this.#append(before + JSON.stringify(JSON.stringify(value)) + after);
  }

  #append(text: string): void {
    // JSON.stringify escapes lone surrogates, and pairs it does not.
    this.isIllFormed ||= text.includes('\\ud');
    this.#payload?.append(text);
  }
}

/** Writes what JSON.stringify returns, in pieces. */
class Pieces {
  readonly #emit: (piece: string) => void;
  #text = '';

  constructor(emit: (piece: string) => void) {
    this.#emit = emit;
  }

  add(text: string): void {
    this.#text += text;
    if (this.#text.length >= PIECE) this.end();
  }

  end(): void {
    if (this.#text !== '') this.#emit(this.#text);
    this.#text = '';
  }

  /** The depth of a value is bounded by its parser. */
  value(value: unknown): void {
    if (typeof value === 'string') this.#string(value);
    else if (Array.isArray(value)) this.#list(value);
    else if (value instanceof JsonText) this.#nested(value.value);
    else if (typeof value === 'object' && value !== null && !isRawJson(value)) this.#object(value);
    else this.add(JSON.stringify(value) ?? 'null');
  }

  #string(text: string): void {
    if (text.length <= PIECE) {
      this.add(JSON.stringify(text));
      return;
    }
    this.add('"');
    for (let at = 0; at < text.length; ) {
      let end = Math.min(at + PIECE, text.length);
      // Half of a surrogate pair would be written as an escape.
      if (end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end--;
      this.add(JSON.stringify(text.slice(at, end)).slice(1, -1));
      at = end;
    }
    this.add('"');
  }

  #list(values: readonly unknown[]): void {
    this.add('[');
    values.forEach((value, i) => {
      if (i > 0) this.add(',');
      this.value(value);
    });
    this.add(']');
  }

  #object(fields: object): void {
    this.add('{');
    let separator = '';
    for (const [name, value] of Object.entries(fields)) {
      if (value === undefined) continue;
      this.add(separator);
      this.#string(name);
      this.add(':');
      this.value(value);
      separator = ',';
    }
    this.add('}');
  }

  #nested(value: unknown): void {
    this.add('"');
    const inner = new Pieces((piece) => this.add(JSON.stringify(piece).slice(1, -1)));
    inner.value(value);
    inner.end();
    this.add('"');
  }
}

function isRawJson(value: unknown): boolean {
  return (JSON as unknown as { isRawJSON(value: unknown): boolean }).isRawJSON(value);
}
