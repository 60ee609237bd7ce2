import fc from 'fast-check';

/** Mostly the usual text, at times one of the others, and seldom arbitrary characters. */
export function one(usual: string, ...others: string[]): fc.Arbitrary<string> {
  const known = fc.oneof(
    { weight: 9, arbitrary: fc.constant(usual) },
    { weight: 2, arbitrary: fc.constantFrom(usual, ...others) },
  );
  return fc.oneof(
    { weight: 60, arbitrary: known },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
  );
}
