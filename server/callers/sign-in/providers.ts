import { resolve } from 'node:path';
import { withAuthorities } from '../../settings/authorities.ts';
import type { ServerConfiguration } from '../../settings/configuration.ts';
import { readSecretFile } from '../../settings/secret-file.ts';
import { createProvider, type Provider, type SigningIssuer } from './provider.ts';

/** Of the issuers that browsers sign in by, in their order, with the secrets of their files. @throws INVALID_REQUEST */
export async function providersOf(
  { oidc, folder }: Pick<ServerConfiguration, 'oidc' | 'folder'>,
  now: () => number,
): Promise<readonly Provider[]> {
  const signing = (await withAuthorities(oidc, folder)).filter(
    (issuer): issuer is SigningIssuer => issuer.client !== null,
  );
  return Promise.all(
    signing.map(async (issuer) => {
      const { secret } = issuer.client;
      const read = secret === null ? null : await secretOf(resolve(folder, secret), issuer.issuer);
      return createProvider({ ...issuer, client: { ...issuer.client, secret: read } }, now);
    }),
  );
}

async function secretOf(path: string, issuer: string): Promise<string> {
  const [first = ''] = await readSecretFile({
    path,
    what: `the secret of the client of ${issuer}`,
    key: 'oidc',
  });
  return first;
}
