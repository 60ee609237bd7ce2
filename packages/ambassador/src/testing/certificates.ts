import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The paths of a certificate and its key. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Creates an authority for one test, by openssl. */
export class TestAuthority {
  readonly ca: string;
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    this.ca = join(directory, 'ca.pem');
    openssl(directory, [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=test authority'],
    ]);
  }

  /** Issues a certificate for a DNS name, or for other subject alternative names. */
  issue(name: string, names = `DNS:${name}`): Certificate {
    const directory = this.#directory;
    writeFileSync(join(directory, `${name}.ext`), `subjectAltName=${names}\n`);
    openssl(directory, [
      ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`],
    ]);
    openssl(directory, [
      ...['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key'],
      ...['-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`, '-out', `${name}.pem`],
    ]);
    return { cert: join(directory, `${name}.pem`), key: join(directory, `${name}.key`) };
  }
}

function openssl(cwd: string, args: readonly string[]) {
  try {
    execFileSync('openssl', [...args], { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    throw new Error('openssl is needed for this test: apt-get install openssl', { cause: error });
  }
}
