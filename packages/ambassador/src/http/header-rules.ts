import { foldedName } from './folded-name.ts';

/** A rule with its value; without a value it removes the field. */
export interface ResolvedRule {
  readonly name: string;
  readonly value: string | undefined;
  /** Whether the fields that are there stay. */
  readonly keep: boolean;
}

/** Applies rules to a list of fields, names and values in turn. */
export class HeaderRules {
  readonly #rules: readonly (ResolvedRule & { readonly folded: string })[];

  constructor(rules: readonly ResolvedRule[]) {
    this.#rules = rules.map((rule) => ({ ...rule, folded: foldedName(rule.name) }));
  }

  apply(fields: readonly string[]): string[] {
    let all = [...fields];
    for (const rule of this.#rules) {
      if (!rule.keep) all = without(all, rule.folded);
      if (rule.value !== undefined) all.push(rule.name, rule.value);
    }
    return all;
  }
}

function without(fields: readonly string[], name: string): string[] {
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2)
    if (foldedName(fields[i]!) !== name) kept.push(fields[i]!, fields[i + 1]!);
  return kept;
}
