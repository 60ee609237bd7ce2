import { posix } from 'node:path';
import { boolean, choice, type Fault, type Type } from '@sidekit/core';
import { isRecord } from '@sidekit/core/schema';
import { absolutePath, name } from './names.ts';
import { isLeaderOnly, MOST } from './sequence.ts';

/** A plan as far as rules between its parts need it; a part that is faulty by itself is absent. */
export type Draft = readonly {
  readonly name: unknown;
  readonly leaderOnly: boolean;
  readonly when: readonly {
    readonly leadership?: 'gained' | 'lost' | undefined;
    readonly changed?: string | undefined;
  }[];
  readonly steps: readonly DraftStep[];
  readonly always: readonly DraftStep[];
}[];

interface DraftStep {
  readonly letStop?: string | undefined;
  readonly write?: { readonly path?: string | undefined } | undefined;
}

const change = choice('gained', 'lost');

/** Takes from what was written the parts that are good; undefined if it is not a list. */
export function draftOf(written: unknown): Draft | undefined {
  if (written === undefined || written === null) return [];
  if (!Array.isArray(written) || written.length > MOST) return undefined;
  return itemsOf(written).map((one) => ({
    name: one.name,
    leaderOnly: good(boolean, one.leaderOnly) ?? false,
    when: itemsOf(one.when).map(({ leadership, changed }) => ({
      leadership: good(change, leadership),
      changed: good(absolutePath, changed),
    })),
    steps: itemsOf(one.steps).map(draftStep),
    always: itemsOf(one.always).map(draftStep),
  }));
}

function draftStep({ letStop, write }: Readonly<Record<string, unknown>>): DraftStep {
  const path = isRecord(write) ? good(absolutePath, write.path) : undefined;
  return { letStop: good(name, letStop), write: { path } };
}

/** Reads a value, and leaves it to others to report a fault. */
function good<T>(type: Type<T>, value: unknown): T | undefined {
  if (value === undefined || value === null) return undefined;
  return type.read(value, [], () => {});
}

/** Returns the items of a list that is not too long; one that is no object is empty. */
function itemsOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  if (!Array.isArray(value) || value.length > MOST) return [];
  return value.map((one) => (isRecord(one) ? one : {}));
}

/** Checks rules between parts of a plan; those of a part that is undefined are not checked. */
export function checkPlan(
  plan: Draft | undefined,
  {
    participants,
    leadership,
    stateDir,
    tokenFile,
  }: {
    readonly participants?: readonly string[] | undefined;
    readonly leadership?: unknown;
    readonly stateDir?: string | undefined;
    readonly tokenFile?: string | undefined;
  },
  report: (fault: Fault) => void,
): void {
  const isOwn = (path: string) =>
    stateDir !== undefined && posix.relative(stateDir, path).split('/')[0] !== '..';
  if (tokenFile !== undefined && isOwn(tokenFile)) {
    const rule = 'is below stateDir, where only the journal is written';
    const remedy = 'write it elsewhere on the volume';
    report({ name: 'leadership.tokenFile', value: tokenFile, rule, remedy });
  }
  if (plan?.length === 0 && leadership === undefined) {
    const rule = 'must have at least one sequence';
    report({ name: 'sequences', rule, remedy: 'add one, or leadership' });
  }
  for (const [i, one] of (plan ?? []).entries()) {
    const loses = one.when.some((trigger) => trigger.leadership === 'lost');
    if (leadership === undefined && (loses || isLeaderOnly(one))) {
      report({
        name: `sequences[${i}]`,
        value: one.name,
        rule: 'needs the key leadership',
        remedy: 'add leadership: { lease: NAME }',
      });
    } else if (loses && isLeaderOnly(one)) {
      report({
        name: `sequences[${i}].when`,
        value: one.name,
        rule: 'must not have leadership: lost in a sequence that only the leader runs',
        remedy: 'split it',
      });
    }
    for (const [j, { changed }] of one.when.entries()) {
      if (changed === undefined || !isOwn(changed)) continue;
      const rule = 'is below stateDir, which changes with every run';
      const remedy = 'watch another file';
      report({ name: `sequences[${i}].when[${j}].changed`, value: changed, rule, remedy });
    }
    for (const part of ['steps', 'always'] as const) {
      for (const [j, { letStop, write }] of one[part].entries()) {
        if (write?.path !== undefined && isOwn(write.path)) {
          report({
            name: `sequences[${i}].${part}[${j}].write.path`,
            value: write.path,
            rule: 'is below stateDir, where only the journal is written',
            remedy: 'write elsewhere on the volume',
          });
        }
        if (letStop === undefined || (participants?.includes(letStop) ?? true)) continue;
        report({
          name: `sequences[${i}].${part}[${j}].letStop`,
          value: letStop,
          rule: 'is not one of participants',
          remedy: `known are ${participants?.join(', ') || 'none'}`,
        });
      }
    }
  }
}
