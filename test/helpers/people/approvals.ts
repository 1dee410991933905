import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import { closeAfterFile } from '../run/lifetime.ts';
import { backtrail, type CliOptions, exampleRepo, type Transcript } from '../program/cli.ts';
import type { Repo } from '../repositories/repo.ts';
import { allowedSigners, createIdentity, type Identity } from './signing.ts';

export const GATEWAY = 'acme/production/api-gateway';

/** Everything that a terminal obeys: ESC, the 8-bit CSI, bell, backspace, a bare CR, and what turns the reading direction. */
export const EVIL = '\u001b]0;owned\u0007\u001b[2J\u009b31m\b\u202e\u2066';
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
export const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

/** People with keys that everybody trusts, and one whose git does not sign. */
export interface People {
  readonly jane: Identity;
  readonly bob: Identity;
  readonly carol: Identity;
  readonly eve: Identity;
  readonly signers: string;
}

let people: Promise<People> | undefined;

export function makePeople(): Promise<People> {
  if (people === undefined) closeAfterFile(() => (people = undefined));
  return (people ??= (async () => {
    const person = (name: string, signs = true) =>
      createIdentity({ name, email: `${name.toLowerCase().split(' ')[0] ?? ''}@example.com`, signs });
    const [jane, bob, carol, eve] = await Promise.all([
      person('Jane Doe'),
      person('Bob'),
      person('Carol'),
      person('Eve', false),
    ]);
    return { jane, bob, carol, eve, signers: await allowedSigners([jane, bob, carol]) };
  })());
}

export interface Approvals {
  readonly repo: Repo;
  readonly people: People;
  /** One command line of one person, in the repository. */
  readonly as: (
    who: keyof Omit<People, 'signers'>,
    args: readonly string[],
    options?: CliOptions,
  ) => Promise<Transcript>;
  /** Jane asks for a rollback of the gateway; gives the id of the request, which is pending. */
  readonly ask: (...more: string[]) => Promise<string>;
}

/** The example repository, whose production needs approval as `entry` (of `policy.environments`) says. */
export async function approvals(
  entry = 'quorum: 1, approvers: { users: [bob@example.com, carol@example.com] }',
  more = '',
): Promise<Approvals> {
  const [repo, people] = await Promise.all([exampleRepo(), makePeople()]);
  await setPolicy(repo, entry, more);
  const as: Approvals['as'] = (who, args, { env, ...options } = {}) =>
    backtrail(repo, args, { ...options, env: { ...environmentOf(people, who), ...env } });
  const ask = async (...words: string[]) => {
    const args = ['rollback', GATEWAY, '--yes', '--reason', 'It answers 500', '-o', 'json', ...words];
    return pendingOf(await as('jane', args)).requestId;
  };
  return { repo, people, as, ask };
}

export const environmentOf = (people: People, who: keyof Omit<People, 'signers'>) => ({
  ...people[who].env,
  BACKTRAIL_ALLOWED_SIGNERS: people.signers,
});

/** Commits another policy; `more`: further sections of it. */
export async function setPolicy(repo: Repo, entry: string, more = ''): Promise<void> {
  const file = resolve(import.meta.dirname, '../../../fixtures-repo/.backtrail/config.yaml');
  const policy = `policy:\n  environments: [ { match: "*/production", ${entry} } ]\n${more}`;
  const config = `${await readFile(file, 'utf8')}${policy}`;
  await repo.commit({ '.backtrail/config.yaml': config }, { message: 'Ask for approval\n' });
}

const pendingShape = z.looseObject({
  requestId: z.string().regex(/^rbk-\w{26}$/),
  status: z.literal('pending'),
  mode: z.string(),
  base: z.string(),
  target: z.string(),
  commit: z.null(),
  deliveryCommit: z.null(),
  digest: z.string().regex(/^sha256:/),
  findings: z.array(z.looseObject({ code: z.string(), message: z.string() })),
  approval: z.strictObject({ need: z.number(), have: z.number(), approvers: z.array(z.string()) }),
  supersedes: z.string().optional(),
});

/** What a rollback that waits for approval printed with `-o json`; it ends with 5. */
export function pendingOf({ code, stdout, stderr }: Transcript) {
  if (code !== 5 || stderr !== '')
    throw new Error(`It does not wait: ${JSON.stringify({ code, stdout, stderr })}`);
  return pendingShape.parse(JSON.parse(stdout));
}

/** A request as `request show -o json` and its like print it. */
export const requestShape = z.looseObject({
  id: z.string(),
  status: z.string(),
  scopeName: z.string(),
  justification: z.string(),
  digest: z.string(),
  authorIdentity: z.enum(['verified', 'unverified']),
  approval: z.strictObject({ need: z.number(), have: z.number(), approvers: z.array(z.string()) }),
  reviews: z.array(
    z.looseObject({
      decision: z.string(),
      comment: z.string().nullable(),
      counts: z.boolean(),
      identity: z.string(),
    }),
  ),
  notes: z.array(z.looseObject({ kind: z.string(), text: z.string() })),
  result: z.looseObject({ status: z.string(), commit: z.string().nullable().optional() }).nullable(),
  breakGlass: z
    .looseObject({ session: z.string(), ticket: z.string().nullable(), review: z.looseObject({}).nullable() })
    .nullable(),
});

/** The error of a command that failed with `-o json`. */
export function errorOf({ code: exit, stdout, stderr }: Transcript) {
  const shape = z.strictObject({
    error: z.strictObject({
      code: z.string(),
      message: z.string(),
      hint: z.string(),
      details: z.record(z.string(), z.unknown()),
    }),
  });
  return { exit, stdout, ...shape.parse(JSON.parse(stderr)).error };
}
