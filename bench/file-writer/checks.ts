/** One check for each line on stdin; answers with what it cost this process, as a JSON line. */
import { createInterface } from 'node:readline';

export interface Cost {
  readonly seconds: number;
  readonly cpu: number;
  /** The most memory so far, in MiB. */
  readonly rss: number;
}

export async function serveChecks(check: () => Promise<void>): Promise<void> {
  for await (const _ of createInterface({ input: process.stdin })) {
    const [start, usage] = [performance.now(), process.cpuUsage()];
    await check();
    const { user, system } = process.cpuUsage(usage);
    const cost: Cost = {
      seconds: (performance.now() - start) / 1000,
      cpu: (user + system) / 1e6,
      rss: process.resourceUsage().maxRSS / 1024,
    };
    console.log(JSON.stringify(cost));
  }
}
