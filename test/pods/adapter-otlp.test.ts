import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { applyPod, type Session } from '../engine/index.ts';

const MANIFEST = new URL('../../manifests/pods/adapter-otlp.yaml', import.meta.url);

/** The paths of all requests that the receiver knows of. */
async function received(session: Session): Promise<string[]> {
  const { body } = await session.http('otlp-receiver', 4318, '/sink');
  return [...body.matchAll(/"key":"path","value":\{"stringValue":"([^"]*)"/g)].map(
    ([, path]) => path ?? '',
  );
}

async function ask(session: Session, path: string): Promise<void> {
  const { status } = await session.http('adapter-otlp', 5000, path, { method: 'POST', body: 'x' });
  assert.equal(status, 200);
}

test('what is logged while the receiver is dead arrives when it is back, each line once', async () => {
  await using session = await applyPod('adapter-otlp');
  await session.ready('otlp-receiver');
  await session.ready('adapter-otlp');
  await ask(session, '/echo?before=1');
  await eventually(async () => (await received(session)).includes('/echo?before=1'), {
    what: 'the first record at the receiver',
  });

  await session.remove('otlp-receiver');
  for (let i = 0; i < 20; i++) await ask(session, `/echo?during=${i}`);
  await eventually(
    async () => {
      const { body } = await session.http('adapter-otlp', 9902, '/metrics');
      return /^adapter_retries_total\{.*\} [1-9]/m.test(body);
    },
    { what: 'the adapter tries again' },
  );

  await session.reapply(readFileSync(MANIFEST, 'utf8'));
  await session.ready('otlp-receiver');
  await ask(session, '/echo?after=1');
  const paths = await eventually(
    async () => {
      const all = await received(session);
      return all.includes('/echo?after=1') ? all : undefined;
    },
    { what: 'the records of the outage at the receiver' },
  );
  const during = paths.filter((path) => path.startsWith('/echo?during='));
  assert.deepEqual(
    during,
    Array.from({ length: 20 }, (_, i) => `/echo?during=${i}`),
  );
});
