import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { eventually, freePort, TestProcess } from '@sidekit/test-kit';
import type { RotationCase, RotationPeer } from '../../packages/adapter/src/testing/logrotate.ts';

type Logs = Parameters<RotationPeer['start']>[0];

/** It has nothing more to send once nothing came for so long, in milliseconds. */
const QUIET = 3000;

/**
 * rsyslog's imfile, in a process for each of the fates that a reader may have. Lines go to a server
 * over TCP, each with the number of its log; that of the dead output listens only in the end. The
 * place in a file is saved after each line, so that a kill costs as little as possible.
 */
export class RsyslogRotations implements RotationPeer {
  readonly #directory: string;
  readonly #servers: Server[] = [];
  readonly #arrived: string[][] = [];
  readonly #running = new Map<RotationCase['mode'], TestProcess>();
  #deadPort = 0;
  #last = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async start(logs: Logs): Promise<void> {
    for (const _ of logs) this.#arrived.push([]);
    const port = await freePort();
    this.#deadPort = await freePort();
    await this.#listen(port);
    for (const mode of ['up', 'down', 'dead output'] as const) {
      this.#configure(mode, logs, mode === 'dead output' ? this.#deadPort : port);
      this.#run(mode);
    }
  }

  async down(): Promise<void> {
    const running = this.#running.get('down');
    running?.kill('SIGKILL');
    await running?.exited;
    rmSync(join(this.#work('down'), 'pid'), { force: true });
  }

  async up(): Promise<void> {
    this.#run('down');
  }

  async read(): Promise<void> {
    const since = performance.now();
    await eventually(() => performance.now() - Math.max(since, this.#last) > QUIET, {
      what: 'no more lines',
    });
  }

  async finish(): Promise<string[][]> {
    await this.#listen(this.#deadPort);
    await this.read();
    // It tries again to connect after a pause.
    await this.read();
    for (const running of this.#running.values()) {
      running.kill('SIGTERM');
      await running.exited;
    }
    for (const server of this.#servers) server.close();
    return this.#arrived;
  }

  #work(mode: RotationCase['mode']): string {
    return join(this.#directory, `rsyslog-${mode.replace(' ', '-')}`);
  }

  #configure(mode: RotationCase['mode'], logs: Logs, port: number): void {
    const work = this.#work(mode);
    mkdirSync(work);
    const own = [...logs.entries()].filter(([, log]) => log.case.mode === mode);
    const inputs = own.map(
      ([
        i,
        {
          live,
          case: { glob },
        },
      ]) => {
        const file = glob ? join(dirname(live), '*.log') : live;
        return `input(type="imfile" file="${file}" tag="${i}" ruleset="r" reopenOnTruncate="on" persistStateInterval="1" freshStartTail="off")\n`;
      },
    );
    writeFileSync(
      join(work, 'rsyslog.conf'),
      `global(workDirectory="${work}")
module(load="imfile" mode="inotify")
template(name="line" type="string" string="%syslogtag% %msg%\\n")
ruleset(name="r") {
  action(type="omfwd" target="127.0.0.1" port="${port}" protocol="tcp" template="line"
    action.resumeRetryCount="-1" action.resumeInterval="1")
}
${inputs.join('')}`,
    );
  }

  #run(mode: RotationCase['mode']): void {
    const work = this.#work(mode);
    const argv = ['-n', '-f', join(work, 'rsyslog.conf'), '-i', join(work, 'pid')];
    this.#running.set(mode, new TestProcess('rsyslogd', argv));
  }

  #listen(port: number): Promise<void> {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      createInterface({ input: socket }).on('line', (line) => {
        const space = line.indexOf(' ');
        this.#arrived[Number(line.slice(0, space))]?.push(line.slice(space + 1).trimStart());
        this.#last = performance.now();
      });
    });
    this.#servers.push(server);
    return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  }
}
