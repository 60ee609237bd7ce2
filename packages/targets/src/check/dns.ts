import { lookup } from 'node:dns/promises';
import { absence } from './absence.ts';

const WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name is not known yet',
  EAI_AGAIN: 'the name server does not answer',
};

/** Tests that the system resolves a name (/etc/hosts, search domains), at every try. */
export async function checkName(host: string): Promise<string | undefined> {
  try {
    await lookup(host);
    return undefined;
  } catch (error) {
    return absence(error, WORDS[(error as NodeJS.ErrnoException).code ?? '']);
  }
}
