export { nearest } from '../schema/nearest.ts';
export { Broken } from '../schema/reader.ts';
export { type Address, address, formatAddress, parseAddress } from './address.ts';
export { adminTokenOption, commonOptions } from './common.ts';
export { list, map, object } from './composites.ts';
export type { Environment } from './environment.ts';
export { helpText, jsonSchema, markdownTable } from './help.ts';
export { resolveOptions } from './resolve.ts';
export { boolean, choice, integer, number, path, text, url } from './scalars.ts';
export {
  defineOptions,
  flagName,
  type Option,
  type OptionMap,
  type OptionTable,
  type OptionValues,
  option,
} from './table.ts';
export { type JsonSchema, type Report, refine, scalar, type Type, type TypeOf } from './type.ts';
export { duration, formatDuration, formatSize, size } from './units.ts';
