import type { DocumentOptions, ParseOptions, ScalarTag, SchemaOptions } from 'yaml';

/**
 * The options that make yaml read as kubectl does (sigs.k8s.io/yaml, goyaml.v2/resolve.go): YAML
 * 1.1 with merge keys, `yes` and `on` as booleans and `0400` as octal; but also `0o400`, no
 * base-60 numbers, and dates as text.
 */
export const kubectlYaml: ParseOptions & DocumentOptions & SchemaOptions = {
  version: '1.1',
  schema: 'failsafe',
  merge: true,
  // Keys that are objects are refused with a place, and need no warning of the library.
  logLevel: 'error',
  // `repeatedKeys` finds them, in less time.
  uniqueKeys: false,
  customTags: [
    plain('null', /^(?:~|null|Null|NULL)?$/, () => null),
    plain('bool', /^(?:[yY]|yes|Yes|YES|true|True|TRUE|on|On|ON)$/, () => true),
    plain('bool', /^(?:[nN]|no|No|NO|false|False|FALSE|off|Off|OFF)$/, () => false),
    plain(
      'int',
      /^[-+]?(?:0_*[xX][0-9a-fA-F_]+|0_*[bB][01_]+|0_*[oO]?[0-7_]+|[1-9][0-9_]*|0)$/,
      integer,
    ),
    plain('float', /^[-+]?(?:\.[0-9_]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?$/, (text) =>
      finite(Number(text.replaceAll('_', '')), text),
    ),
    {
      ...plain('float', /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/, () => null),
      // kubectl converts to JSON, which has no such numbers.
      resolve: (text: string, onError: (message: string) => void) => {
        onError(`${text} is no number that JSON has: write another one, or put it in quotes`);
        return null;
      },
    },
    {
      tag: 'tag:yaml.org,2002:binary',
      resolve: (text: string) => Buffer.from(text, 'base64').toString(),
    },
  ],
};

function plain(name: string, test: RegExp, resolve: (text: string) => unknown): ScalarTag {
  return { tag: `tag:yaml.org,2002:${name}`, default: true, test, resolve };
}

/** Reads an integer with its prefix; a leading 0 alone means octal. */
function integer(text: string): number | string {
  const [, sign = '', digits = ''] = /^([-+]?)(.*)$/.exec(text.replaceAll('_', '')) ?? [];
  const octal = /^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits;
  return finite(Number(octal) * (sign === '-' ? -1 : 1), text);
}

/** A number that no float holds is a text (strconv.ParseFloat fails). */
function finite(value: number, text: string): number | string {
  return Number.isFinite(value) ? value : text;
}
