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

const made = new Map<string, Promise<Certificates>>();

/** For 127.0.0.1, made once a run: openssl is three processes. `name`: each name has an authority of its own. */
export function certificates(name = 'cluster'): Promise<Certificates> {
  const known = made.get(name) ?? make(name);
  made.set(name, known);
  return known;
}

async function make(name: string): Promise<Certificates> {
  const run = process.env['BACKTRAIL_TEST_RUN'];
  const shared = join(run ?? '', `tls-${name}`);
  if (run !== undefined && existsSync(shared)) return read(shared);
  const own = await mkdtemp(join(run ?? tmpdir(), 'tls-'));
  makeCertificate(own);
  if (run === undefined) {
    const certificates = await read(own);
    await rm(own, { recursive: true });
    return certificates;
  }
  try {
    await rename(own, shared);
  } catch (error) {
    // Another worker was first.
    await rm(own, { recursive: true, force: true });
    if (!existsSync(shared)) throw error;
  }
  return read(shared);
}

async function read(folder: string): Promise<Certificates> {
  const file = (name: string) => readFile(join(folder, name), 'utf8');
  return { authority: await file('ca.crt'), cert: await file('server.crt'), key: await file('server.key') };
}
