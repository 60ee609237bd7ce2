import type { Environment } from '@sidekit/core';
import type { FileSpec } from './file-spec.ts';
import { clockSource } from './source/clock.ts';
import type { Source } from './source/source.ts';

/** Makes the source of a file; the larger ones are loaded only where they are used. */
export async function openSource(spec: FileSpec, environment: Environment): Promise<Source> {
  if (spec.source === 'clock') return clockSource(spec);
  if (spec.source === 'http') {
    const { httpSource } = await import('./source/http.ts');
    return httpSource({ ...spec, url: spec.url ?? [] });
  }
  if (spec.source === 'git') {
    const { gitSource } = await import('./source/git.ts');
    return gitSource({ ...spec, repository: spec.repository ?? '' });
  }
  if (spec.source === 'template') {
    const { templateSource } = await import('./source/template.ts');
    return templateSource({ ...spec, template: spec.template ?? '', environment });
  }
  const { dirSource } = await import('./source/dir.ts');
  return dirSource({ ...spec, from: spec.from ?? '' });
}
