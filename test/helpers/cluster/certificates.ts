import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from '../servers/certificate.ts';

export interface Certificates {
  /** PEM. */
  readonly authority: string;
  readonly cert: string;
  readonly key: string;
}

/** For 127.0.0.1, made once a run: openssl is three processes. `name`: each name has an authority of its own. */
export async function certificates(name = 'cluster'): Promise<Certificates> {
  const folder = join(
    process.env['BACKTRAIL_TEST_RUN'] ?? (await mkdtemp(join(tmpdir(), 'backtrail-tls-'))),
    `tls-${name}`,
  );
  if (!existsSync(folder)) {
    const own = await mkdtemp(`${folder}-`);
    makeCertificate(own);
    try {
      await rename(own, folder);
    } catch (error) {
      // Another worker was first.
      await rm(own, { recursive: true, force: true });
      if (!existsSync(folder)) throw error;
    }
  }
  const read = (file: string) => readFile(join(folder, file), 'utf8');
  return { authority: await read('ca.crt'), cert: await read('server.crt'), key: await read('server.key') };
}
