import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Listed, LiveList } from './live-list.ts';

const listed = (count: number): Listed[] => Array.from({ length: count }, () => ({ place: -1 }));

function members(list: LiveList<Listed>): Set<Listed> {
  const all = new Set<Listed>();
  list.visit((one) => {
    all.add(one);
  });
  return all;
}

test('a list holds what was added and not deleted, in whatever order that happened', () => {
  const list = new LiveList<Listed>();
  const all = listed(5);
  for (const one of all) list.add(one);
  for (const at of [1, 4, 0]) list.delete(all[at]!);
  assert.deepEqual(members(list), new Set([all[2], all[3]]));
  assert.equal(list.size, 2);
  list.add(all[1]!);
  assert.equal(list.size, 3);
});

test('an object that is not in the list is not deleted from it', () => {
  const list = new LiveList<Listed>();
  const [one, two] = listed(2);
  list.add(one!);
  list.delete(two!);
  list.delete({ place: 0 });
  assert.equal(list.size, 1);
  list.delete(one!);
  list.delete(one!);
  assert.equal(list.size, 0);
});

test('a visit that deletes objects skips them', () => {
  const list = new LiveList<Listed>();
  const all = listed(6);
  for (const one of all) list.add(one);
  let visits = 0;
  list.visit(() => {
    visits++;
    for (const one of all) list.delete(one);
  });
  assert.equal(visits, 1);
  assert.equal(list.size, 0);
});
