import { isMadeOf, TOKEN, VALUE } from './characters.ts';
import { FieldKind, fieldKind } from './field-kind.ts';

/**
 * Returns the trailers, without those that concern framing, routing or the hop (RFC 9110 §6.5.1).
 * @param raw names and values in turn.
 */
export function trailerFields(raw: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const [name, value] = [raw[i]!, raw[i + 1]!];
    const good = isMadeOf(TOKEN, name) && (value === '' || isMadeOf(VALUE, value));
    if (good && fieldKind(name) === FieldKind.ordinary) kept.push(name, value);
  }
  return kept;
}
