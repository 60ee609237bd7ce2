import { createRequire } from 'node:module';
import type { Plugin } from 'esbuild';

/**
 * Modules of Node and of npm that cost memory and start-up time, and that most sidecars need late
 * or never.
 */
const LAZY =
  /^(node:(child_process|crypto|dgram|dns|dns\/promises|fs\/promises|http2|https|os|perf_hooks|readline|timers\/promises|tls|util|worker_threads|zlib)|re2js)$/;

/**
 * Loads those modules at the first use of one of their exports instead of at the start of the
 * bundle: node:https alone is 5 MiB of resident memory. Importers see the same names.
 */
export const lazyModules: Plugin = {
  name: 'lazy-modules',
  setup(build) {
    const require = createRequire(import.meta.url);
    build.onResolve({ filter: LAZY }, ({ path, namespace }) => {
      // The stand-in itself requires the real one.
      if (namespace !== 'lazy') return { path, namespace: 'lazy' };
      return path.startsWith('node:') ? { path, external: true } : undefined;
    });
    build.onLoad({ filter: /.*/, namespace: 'lazy' }, ({ path }) => {
      const names = Object.keys(require(path)).filter((name) => name !== 'default');
      return {
        loader: 'js',
        resolveDir: import.meta.dirname,
        contents: `
          let loaded;
          const load = () => (loaded ??= require(${JSON.stringify(path)}));
          module.exports = {};
          for (const name of ${JSON.stringify(names)}) {
            Object.defineProperty(module.exports, name, { enumerable: true, get: () => load()[name] });
          }
          Object.defineProperty(module.exports, 'default', { enumerable: true, get: load });`,
      };
    });
  },
};
