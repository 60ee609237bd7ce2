import * as fileSystem from 'node:fs/promises';
import type { WriteSettings } from '../publish/settings.ts';

/** Default write settings for tests. */
export function writeSettings(target: string, changes: Partial<WriteSettings> = {}): WriteSettings {
  return {
    target,
    mode: 0o644,
    directoryMode: 0o755,
    owner: undefined,
    fsync: true,
    maxSize: 64 * 1024 * 1024,
    maxFiles: 20_000,
    links: 'refuse',
    keep: 2,
    keepFor: 0,
    appends: false,
    fileSystem,
    ...changes,
  };
}
