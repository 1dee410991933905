/** What is missing here, and how to mend it: every check goes as far as it can, whatever the others found. It looks only. */
import { quotePath } from '../model/index.ts';
import type {
  BacktrailError,
  Check,
  Clock,
  CodeHosts,
  Person,
  Programs,
  Progress,
  RepositoryReader,
} from '../model/index.ts';
import { shownAddress } from '../git/process/failure.ts';
import { type Health, openHealth } from '../git/local/health.ts';
import { parseLocation } from '../git/remote/location.ts';
import { type GitRepository, locationOf, type Opened, openPlace } from '../git/open.ts';
import { branchMeant, type ConfigText, createObserve } from '../rollback/observe.ts';
import { attempt, failed, type Settled, settled } from './attempt.ts';
import { checkClusters } from './clusters.ts';
import { checkTip } from './configuration.ts';
import { checkHome } from './home.ts';
import { checkLedger } from './ledger.ts';
import { checkCache, checkDisk, checkGit, checkIdentity, checkNode } from './machine.ts';
import { checkPublishing } from './publishing.ts';
import { checkPullRequests } from './pull-requests.ts';
import { checkRenderers } from './renderers.ts';
import { checkHealth } from './repository.ts';
import { checkSignedCommits } from './signing.ts';
import { checkKeys, checkTrust } from './trust.ts';

export interface CheckupOptions {
  readonly repo: string;
  readonly config?: ConfigText;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cacheFolder: string;
  /** The file of the keys that this machine trusts; where absent, that of git's own setting. */
  readonly allowedSigners?: string | null;
  /** Who would be asking, where git knows no one. */
  readonly account: Person;
  readonly committer: Person;
  readonly clock: Clock;
  readonly programs: Programs;
  readonly hosts: CodeHosts;
  /** Of Node.js, as it says it. */
  readonly nodeVersion: string;
  /** How far the slow checks are; null when they have ended. */
  readonly onProgress?: ((progress: Progress | null) => void) | undefined;
}

export interface Checkup {
  /** The repository as rollbacks of it name it; null where it could not be opened. May hold a password. */
  readonly location: string | null;
  readonly checks: readonly Check[];
}

export async function checkup(options: CheckupOptions): Promise<Checkup> {
  const { repo, env, cacheFolder } = options;
  const opened = await settled(openPlace({ location: repo, env, cacheFolder, offline: true }));
  const place = 'value' in opened ? opened.value : null;
  const through = place && (await settled(upstreamOf(place, options.config ?? null)));
  const git = through && 'value' in through ? through.value : (place?.git ?? null);
  try {
    const typed = await settled(parseLocation(repo));
    const folder = 'value' in typed && typed.value.kind === 'folder' ? typed.value.folder : null;
    const looked = folder === null ? null : await settled(openHealth({ location: repo, folder, env }));
    const health = looked && 'value' in looked ? looked.value : null;
    const mirrors = ('value' in typed && folder === null) || git?.kind === 'clone';
    const checks = [
      checkNode(options.nodeVersion),
      await checkGit(env, place !== null),
      await checkCache(cacheFolder, mirrors),
      ...(await attempt('machine', 'disk', () => checkDisk({ git, health, cacheFolder, env }))),
      ...(await attempt('machine', 'identity', () => checkIdentity(git, options))),
      checkOpened(repo, opened),
      ...(await attempt('repository', 'remote', () => checkAway(git))),
      ...(health ? await checkHealth(health, options.clock.now()) : []),
      ...(git
        ? await checkInside(
            { git, health, unreached: through && 'error' in through ? through.error : null },
            options,
          )
        : [checkTrust(null)]),
    ];
    return { location: place && locationOf(place.git), checks };
  } finally {
    await (git ?? place?.git)?.close();
  }
}

/** Where rollbacks are published: the upstream of a clone, as far as there is one and it can be reached. */
async function upstreamOf(place: Opened, config: ConfigText | null): Promise<GitRepository> {
  const { git } = place;
  const branch = git.kind === 'local' ? await branchMeant(git, config).catch(() => null) : null;
  return branch === null ? git : place.throughUpstream(branch);
}

interface Inside {
  readonly git: GitRepository;
  readonly health: Health | null;
  /** Why the upstream could not be reached: nothing is published then. */
  readonly unreached: BacktrailError | null;
}

async function checkInside(
  { git, health, unreached }: Inside,
  options: CheckupOptions,
): Promise<readonly Check[]> {
  const { config, programs, clock, onProgress = () => undefined } = options;
  const publishing = async (branch: string) =>
    unreached === null
      ? checkPublishing({ git, health, branch })
      : [failed('publishing', 'upstream', unreached)];
  const observed = await settled(createObserve(git, config ?? null)());
  if ('value' in observed) {
    const snapshot = observed.value;
    return [
      ...(await checkTip(git, snapshot, clock.now())),
      ...(await attempt('repository', 'ledger', () => checkLedger(git, snapshot))),
      ...(await attempt('configuration', 'renderers', () =>
        checkRenderers(snapshot, { programs, clock, onProgress }),
      )),
      ...(await attempt('machine', 'signers', () => checkKeys(git, snapshot, options))),
      ...(await publishing(snapshot.branch)),
      ...(await attempt('publishing', 'signed commits', () =>
        checkSignedCommits(git, { sign: snapshot.layout.config.commit.sign, committer: options.committer }),
      )),
      ...(await attempt('publishing', 'pull requests', () =>
        checkPullRequests({
          git,
          branch: snapshot.branch,
          config: snapshot.layout.config,
          hosts: options.hosts,
        }),
      )),
      ...(await attempt('publishing', 'clusters', () =>
        checkClusters({ config: snapshot.layout.config, env: options.env, clock }),
      )),
      checkTrust(snapshot.layout.config.policy),
      ...(await attempt('publishing', 'place', () => checkHome(git, snapshot))),
    ];
  }
  const { error } = observed;
  const branch = await git.defaultBranch().catch(() => null);
  return [
    failed('configuration', error.code === 'BRANCH_UNKNOWN' ? 'branch' : 'config', error),
    ...(branch === null ? [] : await publishing(branch)),
    checkTrust(null),
  ];
}

/** Questions can be answered from the mirror; nothing can be published. */
async function checkAway(git: RepositoryReader | null): Promise<Check | null> {
  const away = git && (await git.look());
  if (!away) return null;
  const { cause, asOf } = away;
  const said = `${cause.message} What is said below is as of ${asOf.toISOString().slice(0, 16).replace('T', ' ')} UTC.`;
  const { area, name, status, hint, details } = failed('repository', 'remote', cause);
  return {
    area,
    name,
    status,
    message: said,
    ...(hint !== undefined && { hint }),
    ...(details && { details }),
  };
}

function checkOpened(repo: string, opened: Settled<Opened>): Check {
  if ('error' in opened) return failed('repository', 'repository', opened.error);
  const { kind, directory, worktree } = opened.value.git;
  const message = `${quotePath(shownAddress(repo))} can be read.`;
  const details = { kind, directory, ...(worktree !== null && { worktree }) };
  return { area: 'repository', name: 'repository', status: 'ok', message, details };
}
