import type { Environment } from '@sidekit/core';
import type { FileSpec } from '../options/file-spec.ts';
import { clockSource } from './clock.ts';
import type { Source } from './source.ts';

/** Creates the source of a file; the larger ones are loaded only when they are used. */
export async function openSource(spec: FileSpec, environment: Environment): Promise<Source> {
  if (spec.source === 'clock') return clockSource(spec);
  if (spec.source === 'http') {
    const { httpSource } = await import('./http.ts');
    return httpSource({ ...spec, url: spec.url ?? [] });
  }
  if (spec.source === 'git') {
    const { gitSource } = await import('./git.ts');
    return gitSource({ ...spec, repository: spec.repository ?? '' });
  }
  if (spec.source === 'kubernetes') {
    const { kubernetesSource } = await import('./kubernetes.ts');
    return kubernetesSource({ ...spec, selector: spec.selector ?? '' }, environment);
  }
  if (spec.source === 'template') {
    const { templateSource } = await import('./template.ts');
    return templateSource({ ...spec, template: spec.template ?? '', environment });
  }
  const { dirSource } = await import('./dir.ts');
  return dirSource({ ...spec, from: spec.from ?? '' });
}
