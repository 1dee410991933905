/** A repository whose production needs approvals, people with keys of their own, and a worker that executes what they agree on. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Engine, Person, RequestView } from '../../../engine/internal.ts';
import { exampleRepo } from '../program/cli.ts';
import { engineOf } from '../repositories/engine.ts';
import type { Repo } from '../repositories/repo.ts';
import { ask, createTeam } from './requests.ts';
import type { Identity } from './signing.ts';

export const SCOPE = 'acme/production/api-gateway';
export const LEDGER = 'refs/backtrail/ledger';
const CONFIG = '.backtrail/config.yaml';
const EXAMPLE = resolve(import.meta.dirname, '../../../fixtures-repo', CONFIG);

/** One approval for production. */
const ONE = policyOf('quorum: 1, breakGlass: { allowed: true, longest: 1h }');

export function policyOf(rules: string): string {
  return `policy: { environments: [ { match: "*/production", ${rules} } ] }\n`;
}

export interface Actor {
  readonly person: Person;
  readonly identity: Identity;
  readonly engine: Engine;
}

export interface Scene {
  /** Holds the branch and the ledger. */
  readonly repo: Repo;
  readonly jane: Actor;
  readonly bob: Actor;
  readonly carol: Actor;
  /** The list with the keys of these three. */
  readonly signers: string;
  /** Trusts that list, and has no key. */
  readonly worker: Engine;
  /** Another engine, with a cache folder of its own; `signers: null` trusts nobody. */
  open(as?: { identity?: Identity; signers?: null }): Promise<Engine>;
}

/** `mirrors`: everybody reaches the repository as a remote, each through a mirror in a cache folder of their own. */
export async function scene(options: { policy?: string; mirrors?: boolean } = {}): Promise<Scene> {
  const [repo, { signers, ...team }] = await Promise.all([exampleRepo({ bare: true }), createTeam()]);
  await setPolicy(repo, options.policy ?? ONE, await readFile(EXAMPLE, 'utf8'));
  const location = options.mirrors ? `file://${repo.folder}` : repo.folder;
  const open: Scene['open'] = ({ identity, signers: list = signers } = {}) =>
    engineOf(repo, {
      location,
      env: { ...identity?.env },
      ...(list === null ? {} : { allowedSigners: list }),
    });
  const actor = async (identity: Identity): Promise<Actor> => {
    const { name, email } = identity;
    return { person: { name, email }, identity, engine: await open({ identity }) };
  };
  const [jane, bob, carol] = await Promise.all([actor(team.jane), actor(team.bob), actor(team.carol)]);
  return { repo, jane, bob, carol, signers, worker: await open(), open };
}

/** Puts another policy on the branch, in the place of the one there is. */
export async function setPolicy(repo: Repo, policy: string, present?: string): Promise<void> {
  const config = present?.trimEnd() ?? (await repo.git('show', `main:${CONFIG}`));
  const others = config.split('\n').filter((line) => !line.startsWith('policy:'));
  await repo.replay([
    { files: { [CONFIG]: `${others.join('\n')}\n${policy}` }, message: 'Change the policy' },
  ]);
}

/** Asks for a rollback of `SCOPE`, or another scope. */
export function request(
  { engine, person }: Actor,
  { scope = SCOPE, fields }: { scope?: string; fields?: string[] } = {},
): Promise<RequestView> {
  return ask(engine, person, scope, fields && { fields });
}

export function approve(
  { engine, person: actor }: Actor,
  { id }: Pick<RequestView, 'id'>,
): Promise<RequestView> {
  return engine.requests.approve({ id, actor });
}

/** Commits of the branch that this request made. */
export async function revertsOf({ repo }: Pick<Scene, 'repo'>, id: string): Promise<string[]> {
  const log = await repo.git('log', '--format=%H', `--grep=^Rollback-Request-ID: ${id}$`, 'main');
  return log.split('\n').filter((line) => line !== '');
}
