export { nearest } from '../schema/nearest.ts';
export { type Address, address, formatAddress, listenOptions, parseAddress } from './address.ts';
export { commonOptions } from './common.ts';
export { isRecord, list, map, object } from './composites.ts';
export type { Environment } from './environment.ts';
export { parseConfig, readConfigFile } from './file.ts';
export { helpText, jsonSchema, markdownTable } from './help.ts';
export { type Inputs, type Invocation, resolveOptions, valuesOf } from './resolve.ts';
export { boolean, choice, integer, number, path, text, url } from './scalars.ts';
export {
  defineOptions,
  flagName,
  type Option,
  type OptionMap,
  type OptionTable,
  type OptionValues,
  option,
  variableName,
} from './table.ts';
export {
  Broken,
  type JsonSchema,
  type Report,
  refine,
  scalar,
  type Type,
  type TypeOf,
} from './type.ts';
export { duration, formatDuration, formatSize, size } from './units.ts';
