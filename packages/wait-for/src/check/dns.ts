import { lookup } from 'node:dns/promises';

/** A name is there where the system resolves it (/etc/hosts, search domains), asked anew each time. */
export async function checkName(host: string): Promise<string | undefined> {
  try {
    await lookup(host);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTFOUND') return 'the name is not known yet';
    return code === 'EAI_AGAIN'
      ? 'the name server does not answer'
      : `the name cannot be resolved (${code})`;
  }
}
