import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { before, test } from 'node:test';
import { until } from '@sidekit/test-kit';
import { parseAllDocuments } from 'yaml';
import { command, must } from '../engine/command.ts';
import { request } from '../engine/session.ts';

/** Each profile of docker-compose.yml shows what the manifest of its name promises. */

const PROJECT = 'sidekit-compose-test';
/** Both generations, as far as they are installed. */
let composes: string[][] = [];

before(async () => {
  const known = [['docker', 'compose'], ['docker-compose']];
  const found = await Promise.all(
    known.map(([program = '', ...args]) =>
      command(program, [...args, 'version']).then(
        ({ code }) => code === 0,
        () => false,
      ),
    ),
  );
  composes = known.filter((_, i) => found[i]);
  assert.ok(composes.length > 0, 'install docker compose or docker-compose');
});

for (const path of globSync('manifests/pods/*.yaml').toSorted()) {
  const profile = basename(path, '.yaml');
  test(`the profile ${profile} shows what its Pod shows`, async () => {
    for (const [program = '', ...prefix] of composes) {
      const compose = (...args: string[]) =>
        must(program, [...prefix, '-p', PROJECT, '--profile', profile, ...args]);
      try {
        await compose('up', '-d');
        for (const { pod, subject, text } of promises(path)) {
          await until(async () => (await look(compose, pod, subject)).includes(text), {
            what: `${pod}: ${subject}: ${text} (${program} ${prefix})`,
            timeout: 60_000,
          });
        }
      } finally {
        await compose('down', '--volumes', '--timeout', '5');
      }
    }
  });
}

async function look(
  compose: (...args: string[]) => Promise<string>,
  pod: string,
  subject: string,
): Promise<string> {
  const [, port, path = ''] = /^GET (\d+)(\/.*)$/.exec(subject) ?? [];
  if (port === undefined) return compose('logs', '--no-color', `${pod}-${subject}`);
  const address = (await compose('port', pod, port)).trim();
  const { body } = await request(`http://${address}`, path).catch(() => ({ body: '' }));
  return body;
}

/** The lines of the annotation `sidekit.dev/shows` of each Pod of a manifest. */
function promises(path: string): { pod: string; subject: string; text: string }[] {
  const found = parseAllDocuments(readFileSync(path, 'utf8')).flatMap((document) => {
    const { metadata, spec } = document.toJS();
    const shows = (spec?.template?.metadata ?? metadata).annotations?.['sidekit.dev/shows'] ?? '';
    return [...shows.matchAll(/^([^:]+): (.+)$/gm)].map(([, subject = '', text = '']) => ({
      pod: metadata.name as string,
      subject,
      text,
    }));
  });
  assert.ok(found.length > 0, `${path} promises nothing: annotate it with sidekit.dev/shows`);
  return found;
}
