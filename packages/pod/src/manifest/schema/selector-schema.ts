import { checked, defaulted, list, map, type Read, required, text } from '@sidekit/core/schema';
import { labelValue, qualifiedName } from './rules.ts';
import { choice, struct } from './support.ts';
import { textOfMap } from './values.ts';

const requirement = checked(
  struct({
    key: required(text(qualifiedName)),
    operator: required(choice(['In', 'NotIn', 'Exists', 'DoesNotExist'])),
    values: defaulted(list(text()), []),
  }),
  ({ operator, values }, report) => {
    const wanted = operator === 'In' || operator === 'NotIn';
    if (wanted === values.length > 0) return;
    report(['values'], { rule: `must ${wanted ? 'have an item' : 'be empty'} with ${operator}` });
  },
);

/** Reads the label selector of a controller. */
export const selector = struct({
  matchLabels: defaulted(map(textOfMap(labelValue), qualifiedName), {}),
  matchExpressions: defaulted(list(requirement), []),
});

type Selector = Read<typeof selector>;

/** Whether labels match every requirement of a selector. */
export function matches(
  { matchLabels, matchExpressions }: Selector,
  labels: Readonly<Record<string, string>>,
): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values }) => {
      const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      return (value !== undefined && values.includes(value)) === (operator === 'In');
    })
  );
}
