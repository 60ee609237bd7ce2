/** Reads data by a schema, with every fault reported at once: of options and of manifests. */
export { type ListRules, list, map } from './collections.ts';
export {
  defaulted,
  type Field,
  type Fields,
  type FieldValues,
  isRecord,
  object,
  optional,
  readFields,
  required,
  type UnknownKey,
  unknownKey,
} from './fields.ts';
export { nearest } from './nearest.ts';
export { type Path, pathText } from './path.ts';
export {
  Broken,
  type Collect,
  checked,
  mapped,
  type Read,
  type Reader,
  refined,
  scalar,
  type Violation,
} from './reader.ts';
export { boolean, choice, integer, number, rangeText, text } from './scalars.ts';
