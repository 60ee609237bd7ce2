import { nearest, type Report } from '@sidekit/core';
import { parseQuantity } from './quantity.ts';

/**
 * The shape of a part of a manifest. A field that is not in an `object` is unknown, and one of
 * its `refused` list is known to Kubernetes but not honoured here: both are faults, since a field
 * that is ignored in silence is a Pod that behaves differently elsewhere.
 */
export type Shape =
  | {
      readonly kind: 'string';
      readonly words?: readonly string[];
      readonly matches?: RegExp;
      readonly rule?: string;
    }
  | { readonly kind: 'integer'; readonly min?: number; readonly max?: number }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'port' }
  | { readonly kind: 'quantity' }
  | { readonly kind: 'any' }
  | { readonly kind: 'map'; readonly of: Shape }
  | { readonly kind: 'list'; readonly of: Shape; readonly uniqueBy?: string; readonly min?: number }
  | ObjectShape;

export interface ObjectShape {
  readonly kind: 'object';
  readonly fields: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  /** Fields of Kubernetes that are not honoured; any value is a fault. */
  readonly refused?: readonly string[];
  /** Exactly one of these must be there. */
  readonly oneOf?: readonly string[];
}

/** Reports every way in which `value` does not have the shape, by its path. */
export function checkShape(shape: Shape, value: unknown, path: string, report: Report): void {
  const say = (rule: string, remedy?: string) => report({ name: path, value, rule, remedy });
  switch (shape.kind) {
    case 'any':
      return;
    case 'string':
      if (typeof value !== 'string') return say('must be text', 'put it in quotes');
      if (shape.words && !shape.words.includes(value)) {
        return say(
          `must be one of ${shape.words.map((word) => word || '""').join(', ')}`,
          nearest(value, shape.words),
        );
      }
      if (shape.matches && !shape.matches.test(value))
        return say(shape.rule ?? `must match ${shape.matches.source}`);
      return;
    case 'integer':
      if (typeof value !== 'number' || !Number.isInteger(value))
        return say('must be a whole number');
      if (value < (shape.min ?? 0)) return say(`must be ${shape.min ?? 0} or more`);
      if (value > (shape.max ?? Number.MAX_SAFE_INTEGER))
        return say(`must be ${shape.max} or less`);
      return;
    case 'boolean':
      if (typeof value !== 'boolean') say('must be true or false');
      return;
    case 'port':
      if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535)
        return;
      if (typeof value === 'string' && /^[a-z0-9-]{1,15}$/.test(value) && /[a-z]/.test(value))
        return;
      return say('must be a port 1–65535 or the name of a port');
    case 'quantity':
      if (
        (typeof value !== 'string' && typeof value !== 'number') ||
        parseQuantity(value) === undefined
      ) {
        say('must be a quantity', 'write it like 250m or 64Mi');
      }
      return;
    case 'map':
      if (!isObject(value)) return say('must be a map');
      for (const [key, item] of Object.entries(value))
        checkShape(shape.of, item, `${path}.${key}`, report);
      return;
    case 'list':
      return checkList(shape, value, path, report);
    case 'object':
      return checkObject(shape, value, path, report);
  }
}

function checkList(
  shape: Extract<Shape, { kind: 'list' }>,
  value: unknown,
  path: string,
  report: Report,
) {
  if (!Array.isArray(value)) return report({ name: path, value, rule: 'must be a list' });
  if (value.length < (shape.min ?? 0))
    report({ name: path, rule: `must have at least ${shape.min} item` });
  const seen = new Map<unknown, number>();
  for (const [i, item] of value.entries()) {
    checkShape(shape.of, item, `${path}[${i}]`, report);
    if (!shape.uniqueBy || !isObject(item)) continue;
    const key = item[shape.uniqueBy];
    const first = seen.get(key);
    if (key !== undefined && first !== undefined) {
      report({
        name: `${path}[${i}].${shape.uniqueBy}`,
        value: key,
        rule: `is already used by ${path}[${first}]`,
        remedy: 'give it another name',
      });
    }
    if (first === undefined) seen.set(key, i);
  }
}

function checkObject(shape: ObjectShape, value: unknown, path: string, report: Report) {
  if (!isObject(value)) return report({ name: path, value, rule: 'must be an object' });
  const at = (key: string) => (path ? `${path}.${key}` : key);
  for (const [key, item] of Object.entries(value)) {
    const field = shape.fields[key];
    if (shape.refused?.includes(key)) {
      report({
        name: at(key),
        rule: 'is not supported by pod',
        remedy: 'leave it out, or use a cluster',
      });
    } else if (!field) {
      report({
        name: at(key),
        rule: 'is an unknown field',
        remedy: nearest(key, Object.keys(shape.fields)),
      });
    } else if (item !== null && item !== undefined) {
      checkShape(field, item, at(key), report);
    }
  }
  const given = (key: string) => value[key] !== undefined && value[key] !== null;
  for (const key of shape.required ?? []) {
    if (!given(key)) report({ name: at(key), rule: 'is missing', remedy: `add ${key}` });
  }
  const chosen = (shape.oneOf ?? []).filter(given);
  if (shape.oneOf && chosen.length !== 1) {
    report({
      name: path,
      rule: `must have exactly one of ${shape.oneOf.join(', ')}`,
      remedy: chosen.length > 1 ? `keep one of ${chosen.join(', ')}` : 'add one',
    });
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
