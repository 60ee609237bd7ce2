import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, freePort, temporaryDirectory } from '@sidekit/test-kit';

/** Whether Prometheus is installed. */
export function hasPrometheus(): boolean {
  return spawnSync('prometheus', ['--version']).status === 0;
}

/** On a cluster a request of the tests begins with a port-forward, which takes a second or more. */
const SCRAPE = process.env.POD_ENGINE === 'kube' ? '10s' : '1s';

/** A real Prometheus that scrapes one target again and again. */
export class Prometheus implements AsyncDisposable {
  readonly #url: string;
  readonly #stop: () => Promise<void>;

  private constructor(url: string, stop: () => Promise<void>) {
    this.#url = url;
    this.#stop = stop;
  }

  /** @param target the host and port whose `/metrics` is scraped. */
  static async start(target: string): Promise<Prometheus> {
    const directory = temporaryDirectory('prometheus');
    const config = join(directory.path, 'prometheus.json');
    const job = { job_name: 'pod', static_configs: [{ targets: [target] }] };
    // YAML is a superset of JSON.
    writeFileSync(
      config,
      JSON.stringify({
        global: { scrape_interval: SCRAPE, scrape_timeout: SCRAPE },
        scrape_configs: [job],
      }),
    );
    const port = await freePort();
    const server = spawn(
      'prometheus',
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(directory.path, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: 'ignore' },
    );
    return new Prometheus(`http://127.0.0.1:${port}`, async () => {
      server.kill();
      if (server.exitCode === null) await once(server, 'exit');
      directory.remove();
    });
  }

  /** Waits until a query has exactly one series, whose value is as wanted. */
  async value(query: string, wanted: (value: number) => boolean): Promise<void> {
    await eventually(
      async () => {
        const response = await fetch(
          `${this.#url}/api/v1/query?query=${encodeURIComponent(query)}`,
        );
        const { data } = (await response.json()) as {
          data: { result: { value: [number, string] }[] };
        };
        return data.result.length === 1 && wanted(Number(data.result[0]!.value[1]));
      },
      { what: query },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
  }
}
