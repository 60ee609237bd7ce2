import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { isReady, type Session } from '../engine/engine.ts';
import { testEngine } from '../engine/index.ts';

/** The one Pod that is Ready, and the other one. */
async function leaderOf(session: Session, not?: string) {
  return await eventually(
    async () => {
      const pods = (await session.pods()).filter(({ metadata }) => metadata.name !== not);
      const [leader, ...more] = pods.filter(isReady);
      const follower = pods.find((pod) => !isReady(pod));
      if (!leader || !follower || more.length > 0) return undefined;
      return { leader: leader.metadata.name, follower: follower.metadata.name };
    },
    { what: 'one Ready Pod of two', interval: 500 },
  );
}

async function shows(session: Session, pod: string, role: string): Promise<void> {
  await eventually(async () => (await session.http(pod, 5000, '/role.txt')).body.trim() === role, {
    what: `${pod} as ${role}`,
    interval: 500,
  });
}

test('one of two replicas is Ready and leads, and the other follows it when it is deleted', async () => {
  await using session = await testEngine().apply('manifests/cluster/leader.yaml');
  const { leader, follower } = await leaderOf(session);
  await shows(session, leader, 'leader');
  await shows(session, follower, 'follower');
  const token = async (pod: string) =>
    Number((await session.http(pod, 5000, '/leader-token')).body);
  const first = await token(leader);
  assert.ok(first >= 1);
  assert.equal((await session.http(follower, 5000, '/leader-token')).status, 404);

  await session.remove(leader);
  const next = await leaderOf(session, leader);
  await shows(session, next.leader, 'leader');
  await shows(session, next.follower, 'follower');
  assert.ok((await token(next.leader)) > first);
});
