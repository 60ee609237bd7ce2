import { createRequire } from 'node:module';
import type { Metafile, Plugin } from 'esbuild';

/** Modules of Node that cost memory and start-up time, and that most sidecars need late or never. */
const OF_NODE =
  /^node:(child_process|crypto|dgram|dns|dns\/promises|fs\/promises|http2|https|os|perf_hooks|readline|timers\/promises|tls|util|worker_threads|zlib)$/;

/** npm packages that are like them: each is a file next to the bundle, `yaml.cjs`. */
const OF_NPM = /^(liquidjs|re2js|yaml)$/;

/**
 * Loads those modules at the first use of one of their exports instead of at the start of the
 * bundle: node:https alone is 5 MiB of resident memory, and a text costs memory even if none of it
 * runs. Importers see the same names.
 */
export const lazyModules: Plugin = {
  name: 'lazy-modules',
  setup(build) {
    const require = createRequire(import.meta.url);
    for (const filter of [OF_NODE, OF_NPM]) {
      build.onResolve({ filter }, ({ path, namespace }) => {
        // The stand-in itself requires the real one.
        if (namespace !== 'lazy') return { path, namespace: 'lazy' };
        return { path: filter === OF_NPM ? `./${path}.cjs` : path, external: true };
      });
    }
    build.onLoad({ filter: /.*/, namespace: 'lazy' }, ({ path }) => {
      const names = Object.keys(require(path)).filter((name) => name !== 'default');
      return {
        loader: 'js',
        resolveDir: import.meta.dirname,
        contents: `
          let loaded;
          const load = () => (loaded ??= require(${JSON.stringify(path)}));
          // Inherited: esbuild copies the own properties for each importer.
          const names = { default: { get: load } };
          for (const name of ${JSON.stringify(names)}) names[name] = { get: () => load()[name] };
          module.exports = Object.create(Object.create(null, names));`,
      };
    });
  },
};

/** Returns the npm packages that a build with this plugin expects as files of their own. */
export function latePackages({ inputs }: Metafile): string[] {
  return Object.keys(inputs).flatMap((path) => {
    const name = path.slice('lazy:'.length);
    return path.startsWith('lazy:') && OF_NPM.test(name) ? [name] : [];
  });
}
