export { isRecord } from '../schema/fields.ts';
export { nearest } from '../schema/nearest.ts';
export { Broken } from '../schema/reader.ts';
export { type Address, address, formatAddress, listenOptions, parseAddress } from './address.ts';
export { adminTokenOption, commonOptions } from './common.ts';
export { list, map, object } from './composites.ts';
export type { Environment } from './environment.ts';
export { parseConfig, readConfigFile } from './file.ts';
export { helpText, jsonSchema, markdownTable } from './help.ts';
export { type Inputs, type Invocation, resolveOptions } from './resolve.ts';
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
  type JsonSchema,
  type Report,
  readValue,
  refine,
  scalar,
  type Type,
  type TypeOf,
} from './type.ts';
export { duration, formatDuration, formatSize, size } from './units.ts';
