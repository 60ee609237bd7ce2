/** A CEL expression that stands for itself, among values that become literals. */
export class Expression {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Fields whose value is a map with keys of the user, not an object of the API. */
const MAPS = new Set(['requests', 'limits']);

/**
 * Writes a value as a CEL literal of the type that the API gives it at `type`, such as
 * `Object.spec.initContainers`: CEL checks the types of fields, and so rejects misspelled ones.
 */
export function celLiteral(value: unknown, type: string, indent = ''): string {
  if (value instanceof Expression) return value.text;
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object' || value === null) return String(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const items = value.map((item) => `${inner}${celLiteral(item, type, inner)}`);
    return items.length === 0 ? '[]' : `[\n${items.join(',\n')}\n${indent}]`;
  }
  const isMap = MAPS.has(type.split('.').at(-1) ?? '');
  const fields = Object.entries(value).map(([key, field]) => {
    const name = isMap ? JSON.stringify(key) : key;
    return `${inner}${name}: ${celLiteral(field, `${type}.${key}`, inner)}`;
  });
  const open = isMap ? '{' : `${type}{`;
  return fields.length === 0 ? `${open}}` : `${open}\n${fields.join(',\n')}\n${indent}}`;
}
