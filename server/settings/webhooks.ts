/** `webhooks` of the server's configuration: who is told what happened. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { BacktrailError } from '../../engine/index.ts';
import { addressOfHost, isAllowedAddress } from '../webhooks/addresses.ts';
import { DEFAULT_EVENTS, isEventPattern } from '../webhooks/event-types.ts';
import { FORMATS, type Sink } from '../webhooks/sink.ts';
import { isLoopback } from './issuers.ts';
import { readSecretFile } from './secret-file.ts';

const MOST = 20;
const path = z.string().min(1).max(4096);

export const webhooks = z
  .array(
    z.strictObject({
      name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'It is 1 to 40 small letters, digits and hyphens.'),
      url: z.union([z.string().min(1).max(2048), z.strictObject({ file: path })]),
      secret: path.optional(),
      format: z.enum(FORMATS).default('standard'),
      environments: z.array(z.string().min(1).max(500)).min(1).max(100).default(['**']),
      events: z
        .array(
          z.string().max(60).refine(isEventPattern, 'There is no such event: docs/webhooks.md lists them.'),
        )
        .min(1)
        .max(40)
        .default([...DEFAULT_EVENTS]),
      console: z
        .string()
        .max(1024)
        .refine(isPage, 'It is an http or https address, without a user, a query and a fragment.')
        .optional(),
      allowPrivate: z.boolean().default(false),
      from: z.iso.datetime({ offset: true }).optional(),
    }),
  )
  .max(MOST)
  .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'A name stands there twice.')
  .refine(
    (all) => all.every(({ format, secret }) => format === 'slack' || secret !== undefined),
    'A sink of the format `standard` has a `secret`.',
  );

export type ConfiguredWebhooks = z.output<typeof webhooks>;

/** With their secrets; `folder`: what files are relative to. @throws INVALID_REQUEST where a file cannot be used, or an address is refused */
export async function readSinks(configured: ConfiguredWebhooks, folder: string): Promise<readonly Sink[]> {
  const sinks: Sink[] = [];
  for (const { url, secret, console, from, ...rest } of configured) {
    const { name, allowPrivate } = rest;
    const secretIn = (file: string, what: string) =>
      readSecretFile({
        path: resolve(folder, file),
        what: `${what} of the webhook ${name}`,
        key: 'webhooks',
        isPrivate: true,
      });
    const [address = ''] = typeof url === 'string' ? [url] : await secretIn(url.file, 'the address');
    const secrets = secret === undefined ? [] : await secretIn(secret, 'the secret');
    if (!secrets.every(isSecret))
      throw refuse(name, 'has a secret that is not `whsec_` and 24 to 64 bytes in base64');
    sinks.push({
      ...rest,
      url: requireAddress(address, { name, allowPrivate }),
      secrets,
      console: console?.replace(/\/+$/, '') ?? null,
      from: from === undefined ? null : Math.floor(Date.parse(from) / 1000) * 1000,
    });
  }
  return sinks;
}

/** The address is not repeated: it may be what lets one write there. */
function requireAddress(text: string, { name, allowPrivate }: Pick<Sink, 'name' | 'allowPrivate'>): string {
  if (!URL.canParse(text)) throw refuse(name, 'has an address that is none');
  const { protocol, hostname, username, password, hash, href } = new URL(text);
  const isOwn = allowPrivate && isLoopback(hostname);
  if (protocol !== 'https:' && !(protocol === 'http:' && isOwn))
    throw refuse(
      name,
      'has an address without https; plain http is for this machine alone, with `allowPrivate`',
    );
  if (username !== '' || password !== '' || hash !== '')
    throw refuse(name, 'has an address with a user or a fragment');
  const literal = addressOfHost(hostname);
  if (literal !== null && !isAllowedAddress(literal, allowPrivate))
    throw refuse(name, 'has an address of a network that nothing is sent to');
  return href;
}

function isSecret(text: string): boolean {
  const [, encoded = ''] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? [];
  const { length } = Buffer.from(encoded, 'base64');
  return encoded.length % 4 === 0 && length >= 24 && length <= 64;
}

function isPage(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return /^https?:$/.test(protocol) && [username, password, search, hash].every((part) => part === '');
}

const refuse = (name: string, why: string) =>
  new BacktrailError('INVALID_REQUEST', `The webhook ${name} ${why}.`, {
    hint: 'docs/webhooks.md describes `webhooks`.',
  });
