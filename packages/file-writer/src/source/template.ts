import type { Content } from '../content.ts';
import { TemplateData } from '../template/data.ts';
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
    poll: async ({ fresh }): Promise<Content | undefined> => {
      const { text, data, digest } = await inputs.read();
      if (digest === published && !fresh) return undefined;
      // Loaded only when it is used: it would slow the start of all other sources.
      const { render } = await import('../template/render.ts');
      const rendered = await render(text, template, { ...data, env: environment }, maxSize);
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
