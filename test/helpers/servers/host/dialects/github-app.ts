/** An app of GitHub: proves itself by a signed token of its own, and is given one of the installation. */
import { createVerify, generateKeyPairSync, randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { components } from '@octokit/openapi-types';
import type { Answer } from '../faults.ts';
import type { Given } from './routes.ts';

export interface App {
  readonly id: number;
  /** PEM, PKCS #8. */
  readonly key: string;
}

const claimsShape = z.object({ iss: z.union([z.string(), z.number()]), exp: z.number() });
const INSTALLATION = 3;

export type GitHubApp = ReturnType<typeof createApp>;

/** `tokens`: those that the host takes; what an installation is given is added. */
export function createApp(repository: string, tokens: Set<string>) {
  let [made, publicKey]: [App | null, string] = [null, ''];
  const [owner = ''] = repository.split('/');
  const body = {
    id: INSTALLATION,
    account: { login: owner, id: 1, type: 'Organization' },
    repository_selection: 'selected',
    app_id: 1,
  } satisfies Given<components['schemas']['installation']>;
  const installation = (): Answer => ({ status: 200, body });

  function grant(): Answer {
    const token = `ghs_${randomUUID().replaceAll('-', '')}`;
    tokens.add(token);
    const expires = new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+/, '');
    const given = {
      token,
      expires_at: expires,
      permissions: { contents: 'write', pull_requests: 'write' },
      repository_selection: 'selected',
    } satisfies components['schemas']['installation-token'];
    return { status: 201, body: given };
  }

  return {
    /** Makes the app and its key when it is asked for. */
    make(): App {
      if (made !== null) return made;
      const pair = generateKeyPairSync('rsa', {
        modulusLength: 2048,
        publicKeyEncoding: { type: 'spki', format: 'pem' },
        privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      });
      publicKey = pair.publicKey;
      made = { id: 1, key: pair.privateKey };
      return made;
    },
    /** A JSON Web Token of the app's: signed with its key, and not expired. */
    isOwn(token: string): boolean {
      const [head = '', payload = '', signature = ''] = token.split('.');
      if (made === null || signature === '') return false;
      const isSigned = createVerify('RSA-SHA256')
        .update(`${head}.${payload}`)
        .verify(publicKey, signature, 'base64url');
      const claims = claimsShape.parse(JSON.parse(Buffer.from(payload, 'base64url').toString()));
      return isSigned && Number(claims.iss) === made.id && claims.exp * 1000 > Date.now();
    },
    routes: {
      [`GET /repos/${repository}/installation`]: installation,
      'GET /app/installations': (): Answer => ({ status: 200, body: [body] }),
      [`POST /app/installations/${INSTALLATION}/access_tokens`]: grant,
    },
  };
}
