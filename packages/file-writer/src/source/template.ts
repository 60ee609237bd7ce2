import type { Content } from '../content.ts';
import { TemplateData } from '../template/data.ts';
import { render } from '../template/render.ts';
import type { Source } from './source.ts';

export interface TemplateSourceOptions {
  readonly template: string;
  readonly data: Readonly<Record<string, string>> | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly maxSize: number;
}

/** Renders a template, again when the template or one of its data files has changed. */
export function templateSource(options: TemplateSourceOptions): Source {
  const { template, environment, maxSize } = options;
  const inputs = new TemplateData(template, options.data ?? {});
  let published: string | undefined;
  return {
    poll: async ({ signal, fresh }): Promise<Content | undefined> => {
      const { text, data, digest } = await inputs.read();
      if (digest === published && !fresh) return undefined;
      const scope = { ...data, env: { ...environment } };
      const rendered = await render({ text, path: template, scope, maxSize }, signal);
      return {
        kind: 'file',
        chunks: rendered,
        published: () => {
          published = digest;
        },
      };
    },
  };
}
