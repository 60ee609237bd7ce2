/**
 * The same with isomorphic-git, at its cheapest: depth 1, one branch, no tags, its checkout
 * straight into `PATH`, without versions or a link.
 */
import fs from 'node:fs';
import git from 'isomorphic-git';
import http from 'isomorphic-git/http/node';
import { serveChecks } from './checks.ts';

const [url = '', dir = ''] = process.argv.slice(2);
const common = { fs, http, dir, singleBranch: true, depth: 1, tags: false, ref: 'main' };
let published: string | undefined;
await serveChecks(async () => {
  const refs = await git.listServerRefs({ http, url, prefix: 'refs/heads/main' });
  const oid = refs[0]?.oid;
  if (oid === published) return;
  if (published === undefined) {
    await git.clone({ ...common, url });
  } else {
    await git.fetch({ ...common, remote: 'origin' });
    await git.checkout({ fs, dir, ref: oid ?? '', force: true });
  }
  published = oid;
});
