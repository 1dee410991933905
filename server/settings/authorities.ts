/** The certificate authorities that issuers of a company's own are known by: files that `oidc` names. */
import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { BacktrailError } from '../../engine/index.ts';
import type { Issuer } from './issuers.ts';

const FILE_BYTES = 256 * 1024;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The issuers with the text of their file in its place; `folder`: what files are relative to. @throws INVALID_REQUEST where one cannot be read, or holds none */
export async function withAuthorities(
  issuers: readonly Issuer[],
  folder: string,
): Promise<readonly Issuer[]> {
  return Promise.all(
    issuers.map(async (issuer) =>
      issuer.ca === null
        ? issuer
        : { ...issuer, ca: await readAuthority(resolve(folder, issuer.ca), issuer) },
    ),
  );
}

async function readAuthority(file: string, { issuer }: Issuer): Promise<string> {
  const refuse = (why: string) =>
    new BacktrailError('INVALID_REQUEST', `The file with the authority of ${issuer} ${why}: ${file}.`, {
      hint: 'docs/serving.md describes `ca` of `oidc`.',
    });
  try {
    const { size } = await stat(file);
    if (size > FILE_BYTES) throw refuse('is larger than 256 KiB');
    const found = (await readFile(file, 'utf8')).match(CERTIFICATE) ?? [];
    if (found.length === 0) throw refuse('holds no certificate');
    if (!found.every(isCertificate)) throw refuse('holds a certificate that cannot be read');
    return found.join('\n');
  } catch (error) {
    if (error instanceof BacktrailError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw refuse(`cannot be read (${code})`);
  }
}

function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).raw.length > 0;
  } catch {
    return false;
  }
}
