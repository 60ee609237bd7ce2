import { errorText } from '@sidekit/core/tool';
import { splitLines } from '../log-lines.ts';
import type { LogLine } from '../model.ts';
import { type KubeApi, KubeError } from './api.ts';

/** Lines of the past that are shown first, of each container. */
const TAIL = 1000;

export interface ContainerLog {
  /** The Pod, such as `/api/v1/namespaces/default/pods/web`. */
  readonly pod: string;
  readonly container: string;
}

/** Follows the log of a container's current run until it ends; returns the function that ends it. */
export function followContainer(
  api: KubeApi,
  { pod, container }: ContainerLog,
  onLine: (line: LogLine) => void,
): () => void {
  const controller = new AbortController();
  const { signal } = controller;
  const query = `?container=${container}&follow=true&timestamps=true&tailLines=${TAIL}`;
  const feed = splitLines((line) => {
    const space = line.indexOf(' ');
    onLine({ container, time: line.slice(0, space), text: line.slice(space + 1) });
  });
  const read = async () => {
    const stream = await api.open(`${pod}/log${query}`, { signal, accept: '*/*' });
    stream.setEncoding('utf8');
    for await (const chunk of stream) feed(chunk);
  };
  read().catch((error) => {
    // Missing rights are shown; a run that is gone has none.
    if (signal.aborted || !(error instanceof KubeError) || error.status !== 403) return;
    onLine({ container, time: new Date().toISOString(), text: errorText(error) });
  });
  return () => controller.abort();
}
