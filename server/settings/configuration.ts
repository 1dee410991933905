/** The file that `--server-config` names: who may call, by which names, and how often. Its keys are described in docs/serving.md. */
import { readFile, stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { basename, dirname, resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { BacktrailError } from '../../engine/index.ts';
import type { HostKind } from '../../engine/model/index.ts';
import { aliasOffset, offsetOf } from '../../engine/layout/configuration/positions.ts';
import { type HelmSettings, NO_RELEASES } from '../helm/release.ts';
import { hooks } from './hooks.ts';
import { type Issuer, issuers } from './issuers.ts';
import { type ConfiguredWebhooks, webhooks } from './webhooks.ts';

export interface ServerConfiguration {
  /** What files named in it are relative to. */
  readonly folder: string;
  /** Names, with a port or without, by which it may be called besides its own address; in lower case. */
  readonly hosts: readonly string[];
  /** Addresses and ranges of proxies whose `X-Forwarded-For` says where a call comes from. */
  readonly trustProxy: readonly string[];
  /** Whether API tokens are accepted. */
  readonly tokens: boolean;
  readonly oidc: readonly Issuer[];
  /** Calls a minute. */
  readonly limits: CallLimits;
  /** null: there is no /graphql. */
  readonly graphql: { readonly introspection: boolean } | null;
  /** null: there is no /mcp. `readOnly`: assistants propose nothing. */
  readonly mcp: { readonly readOnly: boolean } | null;
  /** Who may read /metrics. */
  readonly metrics: 'public' | 'token';
  /** Code hosts that deliver to /hooks, by name; their secrets are in the files. */
  readonly hooks: Readonly<Record<string, { readonly kind: HostKind; readonly secret: string }>>;
  /** Names of releases, for calls as Helm has them. */
  readonly helm: HelmSettings;
  /** Who is told what happens; secrets are in the files. */
  readonly webhooks: ConfiguredWebhooks;
}

export interface CallLimits {
  /** Of one caller; null: any number, for the one person of single-user mode. */
  readonly caller: number | null;
  /** Of one address, whoever calls from it. */
  readonly address: number | null;
  /** Of one address, with credentials that are no good, or none. */
  readonly refused: number;
}

const FILE_BYTES = 256 * 1024;
const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?$/i;
const perMinute = z.int().min(1).max(1_000_000);

const releaseName = z
  .string()
  .max(255)
  .regex(/^[^/\p{C}]+$/u, 'It is the name of a release, without slashes.');
const scopeName = z
  .string()
  .max(1024)
  .regex(/^[^/]+\/[^/]+(?:\/[^/]+)?$/, 'It is the scope of a service: [tenant/]environment/service.');
/** `false`, `true`, or keys of its own. */
const face = <Keys extends z.ZodObject>(keys: Keys) =>
  z
    .union([z.boolean(), keys])
    .default(true)
    .transform((given) => (given === false ? null : keys.parse(given === true ? {} : given)));

/** Everybody is not a proxy. */
function isRange(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const longest = isIP(address) === 6 ? 128 : 32;
  if (isIP(address) === 0 || more.length > 0) return false;
  return bits === undefined || (/^[1-9][0-9]{0,2}$/.test(bits) && Number(bits) <= longest);
}

const schema = z.strictObject({
  hosts: z
    .array(z.string().max(260).regex(HOST, 'It is a host name, with a port or without.'))
    .max(100)
    .default([]),
  trustProxy: z
    .array(
      z.string().max(60).refine(isRange, 'It is an address, or a range as 10.0.0.0/8, and not everybody.'),
    )
    .max(100)
    .default([]),
  tokens: z.boolean().default(false),
  oidc: issuers.default([]),
  graphql: face(z.strictObject({ introspection: z.boolean().default(true) })),
  mcp: face(z.strictObject({ readOnly: z.boolean().default(false) })),
  metrics: z.enum(['public', 'token']).default('public'),
  hooks: hooks.default({}),
  helm: z.strictObject({ releases: z.record(releaseName, scopeName).default({}) }).prefault({}),
  webhooks: webhooks.default([]),
  limits: z
    .strictObject({
      caller: perMinute.default(1200),
      address: perMinute.default(6000),
      refused: perMinute.default(60),
    })
    .prefault({}),
});

/** Where no file is named. */
export const NO_CONFIGURATION: ServerConfiguration = {
  folder: '.',
  hosts: [],
  trustProxy: [],
  tokens: false,
  oidc: [],
  graphql: { introspection: true },
  mcp: { readOnly: false },
  metrics: 'public',
  hooks: {},
  helm: NO_RELEASES,
  webhooks: [],
  limits: { caller: null, address: null, refused: 60 },
};

/** Whether it says by what callers are known. */
export const hasAuthentication = ({ tokens, oidc }: ServerConfiguration): boolean =>
  tokens || oidc.length > 0;

/** @throws CONFIG_INVALID, with the position of what is wrong; INVALID_REQUEST where the file cannot be read */
export async function readServerConfiguration(file: string): Promise<ServerConfiguration> {
  return parseServerConfiguration(await readBounded(file), file);
}

/** @throws CONFIG_INVALID */
export function parseServerConfiguration(source: string, file: string): ServerConfiguration {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const invalid = (offset: number, message: string) => {
    const { line, col } = lines.linePos(offset);
    return new BacktrailError(
      'CONFIG_INVALID',
      `${basename(file)}:${line}:${col}: ${message.replace(/\.?$/, '.')}`,
      { hint: 'docs/serving.md describes the keys of the file that --server-config names.' },
    );
  };
  const [broken] = document.errors;
  if (broken !== undefined)
    throw invalid(
      broken.pos[0],
      `This is not valid YAML (${broken.code.toLowerCase().replaceAll('_', ' ')}).`,
    );
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 50 }) ?? {};
  } catch {
    throw invalid(aliasOffset(document), 'The aliases of this file cannot be resolved.');
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
    const where = [...(issue?.path ?? []), ...unknown].filter((step) => typeof step !== 'symbol');
    throw invalid(offsetOf(document, where), `${where.join('.') || 'The file'}: ${issue?.message ?? ''}`);
  }
  const { hosts, ...rest } = parsed.data;
  return { folder: dirname(resolve(file)), hosts: hosts.map((host) => host.toLowerCase()), ...rest };
}

async function readBounded(file: string): Promise<string> {
  const refuse = (why: string) =>
    new BacktrailError('INVALID_REQUEST', `The file that --server-config names ${why}: ${file}.`, {
      hint: 'docs/serving.md describes it.',
    });
  try {
    const { size } = await stat(file);
    if (size > FILE_BYTES) throw refuse('is larger than 256 KiB');
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof BacktrailError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw refuse(`cannot be read (${code})`);
  }
}
