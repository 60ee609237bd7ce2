import { generatedName } from './generated-name.ts';

/** A Job's Pod: which completion it works for, and how often that was tried before. */
export interface JobPlace {
  readonly index: number;
  readonly attempt: number;
  readonly completions: number;
  /** How many of them run at once. */
  readonly parallelism: number;
  /** How many Pods may fail before the Job does. */
  readonly backoffLimit: number;
  /** The time of all its Pods together, from the first one's start. */
  readonly activeDeadlineSeconds?: number | undefined;
}

/** The name of a Job's Pod, the same at each run of the manifest. */
export function jobPodName(job: string, index: number, attempt: number): string {
  return generatedName(job, attempt === 0 ? `${index}` : `${index}/${attempt}`);
}
