#!/usr/bin/env node
/**
 * Starts the program with a cache of its compiled modules, in a third of the time. This file is
 * JavaScript because Node loads its own compiler, for more than all the rest, to strip the types
 * of what is not cached. Node's default folder for the cache is in /tmp, where another user can
 * prepare code for this one to run: what is in the cache is only protected by a checksum.
 */
import { lstatSync, mkdirSync } from 'node:fs';
// An older Node has no enableCompileCache, and could not even link an import of that name.
import module from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

const { NODE_COMPILE_CACHE: chosen, XDG_CACHE_HOME: caches } = process.env;
const uid = process.getuid?.();
// Root's home may be that of the user who became root.
const base = uid === 0 ? '/var/cache' : caches || join(homedir(), '.cache');
if (Number.parseInt(process.versions.node, 10) < 24) {
  process.stderr.write(`pod needs Node 24 or newer: this is Node ${process.versions.node}\n`);
  process.exitCode = 64;
} else {
  if (!chosen) cacheIn(join(base, 'sidekit-pod'));
  await import('./main.ts');
}

/**
 * Keeps compiled modules in a folder, also those of the supervisors, if only this user writes there.
 * @param {string} folder is created if it is missing
 */
function cacheIn(folder) {
  // One by one: `recursive` never ends where the system says ENOENT to everything, as in /proc.
  for (const path of [dirname(folder), folder]) create(path);
  try {
    const found = lstatSync(folder);
    if (!found.isDirectory() || found.uid !== uid || (found.mode & 0o022) !== 0) return;
  } catch {
    return;
  }
  module.enableCompileCache(folder);
  process.env.NODE_COMPILE_CACHE = folder;
}

/** @param {string} path of a folder; what is wrong with it is found later */
function create(path) {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch {}
}
