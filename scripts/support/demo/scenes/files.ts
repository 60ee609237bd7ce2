import { readFileSync } from 'node:fs';
import { within } from '../within.ts';
import { type Scene, since, startedAgain } from './scene.ts';

/** A template that cannot be rendered leaves the page as it was; the next one is published. */
export const brokenConfiguration: Scene = async (target, path) => {
  const manifest = readFileSync(path, 'utf8');
  const page = () => target.get('config-reload', 5000, '/page.txt');
  const before = await page();
  await target.apply(manifest.replace('{{ settings.greeting }}', '{{ settings.greeting'));
  await within(target, 'the warning about the template', async () =>
    /"level":"(warn|error)"/.test(await target.logs('config-reload', 'renderer')),
  );
  if ((await page()) !== before) throw new Error('a broken template changed the page');
  await target.apply(manifest.replace('greeting: Hello', 'greeting: Goodbye'));
  const start = performance.now();
  await within(target, 'the corrected page', async () => (await page()).startsWith('Goodbye'));
  return `broken template: the page stayed as it was; corrected, it changed after ${since(start)}`;
};

/** The sidecar is killed when the settings change: the application is signalled all the same. */
export const changedWhileDown: Scene = async (target, path) => {
  const manifest = readFileSync(path, 'utf8').replace('greeting = Hello', 'greeting = Goodbye');
  await target.kill('reload-by-signal', 'reloader');
  await target.apply(manifest);
  const start = performance.now();
  await within(target, 'the new settings', async () =>
    (await target.get('reload-by-signal', 5000, '/settings')).includes('Goodbye'),
  );
  await startedAgain(target, 'reload-by-signal', 'reloader');
  return `reloader killed while the settings changed: the application had them ${since(start)} later, without a restart`;
};

/** Pushes a commit with the git server's own web page. */
const put = (
  text: string,
) => `const { ok } = await fetch('http://127.0.0.1:8081/site.git/files/index.html', { method: 'PUT', body: '${text}' });
if (!ok) process.exit(1);`;

/** A commit appears on the page. */
export const pushedCommit: Scene = async (target) => {
  await target.node('git-server', 'server', put('second commit'));
  const start = performance.now();
  await within(target, 'the commit on the page', async () =>
    (await target.get('git-sync', 5000, '/site/index.html')).includes('second commit'),
  );
  return `git push → the page changed after ${since(start)}`;
};

/** The git server is killed: the page stays, and follows again when the server is back. */
export const killedGitServer: Scene = async (target) => {
  const page = () => target.get('git-sync', 5000, '/site/index.html');
  const before = await page();
  await target.kill('git-server', 'server');
  if ((await page()) !== before) throw new Error('the page was lost');
  await startedAgain(target, 'git-server', 'server');
  await within(target, 'a commit', async () => {
    await target.node('git-server', 'server', put('third commit'));
    return true;
  });
  const start = performance.now();
  await within(target, 'the commit on the page', async () =>
    (await page()).includes('third commit'),
  );
  return `git server killed: the page stayed; a commit after its restart was there after ${since(start)}`;
};

/** The writer is killed: what it wrote is served on, and it continues. */
export const killedWriter: Scene = async (target) => {
  const lines = async () => (await target.get('mc1', 8080, '/')).trim().split('\n');
  await target.kill('mc1', 'writer');
  const before = await lines();
  const start = performance.now();
  await within(target, 'a new line', async () => (await lines()).length > before.length);
  const after = await lines();
  if (!after.every((line) => line.endsWith(String(new Date().getUTCFullYear())))) {
    throw new Error('a line is not complete');
  }
  return `writer killed: web served its ${before.length} lines on; the next one came after ${since(start)}, and each is complete`;
};
