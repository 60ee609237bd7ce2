import { visible } from '@sidekit/core/tool';
import type { PodStatusObject } from '../lifecycle/status.ts';
import type { PodFolder } from '../store/folder.ts';
import type { Session } from './session.ts';
import { allStatuses, isLost, podSummary, stateOf } from './summary.ts';
import { oneLine, paint } from './terminal.ts';

/** Shows how Pods come up: a live line a container on a terminal, the timeline elsewhere. */
export class Progress {
  readonly #session: Session;
  readonly #folders: PodFolder[] = [];
  readonly #shown = new Map<PodFolder, number>();
  #width = 0;
  #drawn = 0;
  #last = '';

  constructor(session: Session) {
    this.#session = session;
  }

  /** Shows a Pod from now on; events before `from` are skipped. */
  add(folder: PodFolder, from = 0): void {
    const { initContainers, containers } = folder.record.pod.spec;
    const widths = [...initContainers, ...containers].map(({ name }) => name.length);
    this.#width = Math.max(this.#width, folder.name.length + 1 + Math.max(...widths));
    this.#folders.push(folder);
    this.#shown.set(folder, from);
  }

  show(): void {
    if (this.#session.terminal.live) this.#draw();
    else for (const folder of this.#folders) this.#append(folder);
  }

  /** Prints a line of its own, above what is redrawn. */
  say(line: string): void {
    this.#drawn = 0;
    this.#last = '';
    this.#session.print(line);
  }

  #append(folder: PodFolder) {
    const { timeline, name } = folder;
    for (const { reason, container = '', message, time } of timeline.slice(
      this.#shown.get(folder) ?? 0,
    )) {
      if (reason === 'Signal' || reason === 'Hook') continue;
      const subject = container ? `${name}/${container}` : name;
      this.#session.print(
        `${time.slice(11, 23)}  ${subject.padEnd(this.#width)}  ${reason.padEnd(13)}  ${oneLine(message)}`,
      );
    }
    this.#shown.set(folder, timeline.length);
  }

  #draw() {
    const lines = this.#folders.flatMap((folder) => this.#lines(folder));
    const text = lines.join('\n');
    if (text === this.#last) return;
    const up = this.#drawn > 0 ? `\x1b[${this.#drawn}A\x1b[J` : '';
    this.#session.draw(`${up}${text}`);
    this.#drawn = lines.length;
    this.#last = text;
  }

  #lines(folder: PodFolder): string[] {
    const { status, name } = folder;
    if (!status) return [`  ${name.padEnd(this.#width)}  starting`];
    return allStatuses(status).map((container) => {
      const { reason = '', message } = stateOf(container) ?? {};
      const init = status.status.initContainerStatuses.includes(container);
      const done = container.ready || (reason === 'Completed' && init);
      const failed = /Back|Err|Error|OOM/.test(reason);
      const mark = done
        ? paint(this.#session.terminal, '32', '✔')
        : failed
          ? paint(this.#session.terminal, '31', '✘')
          : '…';
      const word =
        reason === 'Running' ? (container.ready ? 'ready' : 'running, not ready') : reason;
      const restarts = container.restartCount > 0 ? `, ${container.restartCount} restarts` : '';
      const why = message && failed ? `: ${message}` : '';
      const subject = `${name}/${container.name}`.padEnd(this.#width);
      // A line that wraps could not be drawn over. Some terminals don't know their width: 0.
      const width = (process.stdout.columns || 80) - 2;
      const line = visible(oneLine(`${subject}  ${word}${restarts}${why}`));
      return `${mark} ${line.slice(0, width)}`;
    });
  }
}

function isInit({ spec }: PodStatusObject, name: string): boolean {
  return spec.initContainers.some((one) => one.name === name && !one.restartPolicy);
}

/** Explains in one sentence why a Pod is not Ready. */
export function reasonsOf(folder: PodFolder): string {
  const { status } = folder;
  if (!folder.exists) return 'it was removed meanwhile';
  if (!status) return 'its supervisor has not started';
  if (isLost(folder)) return `its supervisor was killed (see ${folder.file('supervisor.log')})`;
  if (status.status.message) return oneLine(status.status.message);
  const unready = allStatuses(status).filter(({ ready }) => !ready);
  // A container that only waits for another one is not the reason.
  const causes = unready.filter((one) => !/Initializing|Creating/.test(stateOf(one)?.reason ?? ''));
  const waiting = causes.length > 0 ? causes : unready;
  const words = waiting.map((container) => {
    const { reason, message } = stateOf(container) ?? {};
    const { terminated } = container.state;
    if (reason === 'Running' && isInit(status, container.name)) {
      return `init container ${container.name} has not ended`;
    }
    if (reason === 'Running') {
      const started = container.started ? 'is not ready' : 'has not started';
      return `container ${container.name} runs but ${started}`;
    }
    if (terminated) {
      return `container ${container.name} exited with ${terminated.exitCode} (${terminated.reason})${terminated.message ? `: ${terminated.message.trim()}` : ''}`;
    }
    return `container ${container.name} waits: ${reason}${message ? ` (${message})` : ''}`;
  });
  return oneLine(words.join('; ')) || podSummary(status);
}
