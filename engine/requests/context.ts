/** Where requests live and by which rules: the ledger's ref and the policy, both as the branch itself says them. */
import {
  type Actor,
  type Authentication,
  BacktrailError,
  type Clock,
  type CodeHosts,
  type Config,
  type EventId,
  type ImageRegistries,
  isFailure,
  type Person,
  type Policy,
  type Programs,
  type VotePlace,
} from '../model/index.ts';
import type { GitRepository } from '../git/open.ts';
import { findHome } from '../git/remote/home.ts';
import { LEDGER_REF } from '../layout/configuration/parse.ts';
import type { Home } from '../record/place.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { makeEventId } from '../model/index.ts';
import { type ConfigText, type Observe, readOwnConfig, requireLedgerApart } from '../rollback/observe.ts';
import type { RollbackRecorder } from '../rollback/records.ts';
import type { LedgerCache } from './ledger/snapshot.ts';

export interface RequestContext {
  readonly git: GitRepository;
  readonly observe: Observe;
  readonly programs: Programs;
  readonly registries: ImageRegistries;
  readonly hosts: CodeHosts;
  /** A configuration from outside the repository. */
  readonly config: ConfigText | null;
  readonly committer: Person;
  readonly clock: Clock;
  readonly random: (bytes: number) => Uint8Array;
  /** The list of keys that this machine trusts; null: none. */
  readonly allowedSigners: string | null;
  readonly cache: LedgerCache;
  /** Goes on with what nobody has to wait for: the next work, and whoever closes the engine, comes after it. What it fails with is lost. */
  readonly background: (work: Promise<unknown>) => void;
  /** Records what was deployed. */
  readonly recorder?: RollbackRecorder;
}

/** What votes have to be for, and whether this repository is that. */
interface OwnHome extends Home {
  /** What requests and votes that are made here are for; null: this is none of those repositories, or none is named. */
  readonly here: VotePlace | null;
  /** Where this repository is published. */
  readonly address: string;
}

/** For whoever only looks at what the ledger says, wherever that is. */
export const homeIn = ({ repository, branch }: Pick<Config, 'repository' | 'branch'>): OwnHome => ({
  repositories: repository,
  branch,
  here: null,
  address: '',
});

export interface Rules {
  readonly policy: Policy;
  /** How rollbacks reach the branch, and what the address does not say of its host. */
  readonly publish: Config['publish'];
  readonly host: Config['host'];
  readonly ref: string;
  /** Events are signed off, as all commits are. */
  readonly signoff: boolean;
  readonly home: OwnHome;
  /** Commits of the branch are signed. */
  readonly sign: boolean;
  /** This machine has a list of trusted keys. */
  readonly knowsKeys: boolean;
}

const NONE: Omit<Rules, 'knowsKeys'> = {
  policy: { environments: [], groups: {}, permissions: [] },
  publish: [],
  host: { kind: null, repository: null },
  ref: LEDGER_REF,
  signoff: false,
  sign: false,
  home: homeIn({ repository: [], branch: null }),
};

/**
 * The rules at the tip of the branch. A configuration from outside changes what is rolled back and how, never who must agree:
 * its policy counts only where the branch has no configuration.
 */
export async function rulesOf(context: RequestContext, { branch, base, layout }: Snapshot): Promise<Rules> {
  const { git, config } = context;
  const rulesIn = async (found: Config): Promise<Rules> => ({
    policy: found.policy,
    publish: found.publish,
    host: found.host,
    ref: found.ledger.ref,
    signoff: found.commit.signoff,
    sign: found.commit.sign,
    home: await homeOf(git, branch, found),
    knowsKeys: context.allowedSigners !== null,
  });
  if (config === null) return rulesIn(layout.config);
  const own = await readOwnConfig(git, base);
  if (own === null) return { ...(await rulesIn(layout.config)), ref: LEDGER_REF };
  requireLedgerApart(own, branch);
  // Its layout says what an environment is: another one would give production another name, and with it another policy.
  if (own.policy.environments.length > 0 || own.policy.permissions.length > 0)
    throw new BacktrailError(
      'FORBIDDEN',
      'The branch has a policy, which a configuration from outside would get around.',
      { hint: 'Run it without --config.' },
    );
  return rulesIn(own);
}

const destinations = new WeakMap<GitRepository, Map<string, ReturnType<GitRepository['destination']>>>();

/** Asked once for an opened repository, and not for each of hundreds of requests: it publishes to where it was opened. */
function destinationOf(git: GitRepository, branch: string): ReturnType<GitRepository['destination']> {
  const known = destinations.get(git) ?? new Map();
  destinations.set(git, known);
  const asked = known.get(branch) ?? git.destination(branch);
  known.set(branch, asked);
  asked.catch(() => known.delete(branch));
  return asked;
}

async function homeOf(git: GitRepository, branch: string, config: Config): Promise<OwnHome> {
  if (config.repository.length === 0) return homeIn({ repository: [], branch });
  const { address, branch: name } = await destinationOf(git, branch);
  const repository = findHome(config.repository, address);
  const here = repository === null ? null : { repository, branch: name };
  return { repositories: config.repository, branch: name, here, address };
}

/**
 * Whether a server asks for them, which knows them by their credentials: they need not have the repository.
 */
export const isServed = (reader: Pick<Actor, 'authenticated'> | undefined): boolean =>
  reader?.authenticated !== undefined && reader.authenticated.how !== 'single-user';

/**
 * The same where the branch may have no configuration: whoever has the repository can read its ledger all the same. Nothing says who else may.
 *
 * @throws CONFIG_MISSING for a reader that a server asks for
 */
export async function readRules(
  context: RequestContext,
  reader?: Actor,
): Promise<Rules & { readonly snapshot: Snapshot | null }> {
  const snapshot = await context.observe().catch((error: unknown) => {
    if (isFailure(error) && error.code === 'CONFIG_MISSING' && !isServed(reader)) return null;
    throw error;
  });
  if (snapshot === null) return { ...NONE, knowsKeys: context.allowedSigners !== null, snapshot };
  return { ...(await rulesOf(context, snapshot)), snapshot };
}

/**
 * What is written into the ledger is judged and executed by workers, which know the configuration of the branch alone: one from
 * outside serves looking, planning and rollbacks in this process.
 *
 * @throws FORBIDDEN
 */
export function requireOwnConfig({ config }: Pick<RequestContext, 'config'>): void {
  if (config === null) return;
  throw new BacktrailError(
    'FORBIDDEN',
    `The configuration ${config.name} is not on the branch, and a request of the ledger is executed by the configuration there alone.`,
    {
      hint: 'Commit it as .backtrail/config.yaml; or roll back in this process, without --queue, where no policy applies.',
    },
  );
}

/** What every event begins with. Times are in whole seconds, as git keeps them. */
export function stamp(
  { clock, random }: RequestContext,
  actor: Actor,
): { id: EventId; at: string; actor: Person; authenticated?: Authentication } {
  const now = clock.now();
  const { authenticated } = actor;
  return {
    id: makeEventId(now, random(10)),
    at: timeOf(now),
    actor: personOf(actor),
    ...(authenticated && { authenticated }),
  };
}

/** Nothing but who it is, as git can write it into a commit. */
export function personOf({ name, email }: Person): Person {
  const plain = (text: string) => text.replace(/[<>\p{C}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return { name: plain(name).slice(0, 200), email: plain(email).replaceAll(' ', '').slice(0, 320) };
}

export const timeOf = (milliseconds: number) =>
  new Date(Math.floor(milliseconds / 1000) * 1000).toISOString().replace('.000Z', 'Z');

/** What goes on after its answer was given. */
interface Background {
  readonly background: (work: Promise<unknown>) => void;
  /** Of all that was left to it. Never rejects. */
  readonly ended: () => Promise<void>;
}

export function createBackground(): Background {
  const working = new Set<Promise<void>>();
  return {
    background(work) {
      const one = work.then(
        () => undefined,
        () => undefined,
      );
      working.add(one);
      void one.then(() => working.delete(one));
    },
    ended: async () => void (await Promise.all(working)),
  };
}
