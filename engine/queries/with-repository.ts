/** The repository that questions are asked of. Where its mirror turns out to be damaged, it is fetched anew, once. */
import type { Clock, Finding } from '../model/index.ts';
import { isFailure } from '../model/index.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { isDamaged } from '../git/process/failure.ts';
import { type GitRepository, type Offline, type OpenOptions, openPlace } from '../git/open.ts';
import { throwNamingMerge } from './merge-of.ts';
import { branchMeant, type ConfigText, createObserve, type Observe } from '../rollback/observe.ts';

/** Something about the repository that an answer does not show by itself. */
export interface Notice extends Finding {
  readonly code: 'REMOTE_OFFLINE' | 'MIRROR_RENEWED' | 'UPSTREAM_NOT_READ';
  /** Only of REMOTE_OFFLINE: ISO 8601. The answer is what stood there then. */
  readonly asOf?: string;
}

export interface Opened {
  readonly git: GitRepository;
  readonly observe: Observe;
}

export interface Repository {
  /** As the user named it: of a clone, the clone alone. */
  readonly git: () => GitRepository;
  /** Does the work; does it again where it found the mirror damaged: it must be safe to repeat. */
  work<Value>(task: (opened: Opened) => Promise<Value>): Promise<Value>;
  /**
   * Answers from a look at the branch; `offline` where that is not the branch as it is now. `early`: an answer is worked out while it is looked, and
   * counts where nothing has come; the question must be safe to ask twice.
   */
  ask<Value>(question: Question<Value>, how?: { readonly early?: boolean }): Promise<Value>;
  close(): Promise<void>;
}

type Question<Value> = (
  snapshot: Snapshot,
  place: Opened & { readonly offline: Notice | null },
) => Promise<Value>;

type RepositoryOptions = OpenOptions & {
  readonly config: ConfigText | null;
  readonly clock: Clock;
  readonly onNotice: (notice: Notice) => void;
};

export async function openRepository(options: RepositoryOptions): Promise<Repository> {
  const { clock } = options;
  let held = await hold(options);
  const all = [held];
  let renewed = false;
  const work: Repository['work'] = async (task) => {
    const opened = await held.opened();
    try {
      return await task(opened);
    } catch (error) {
      const mirrored = opened.git.kind !== 'local';
      if (renewed || opened.git.renewed || !mirrored || !isFailure(error) || !isDamaged(error)) throw error;
      renewed = true;
      held = await hold({ ...options, renew: true });
      all.push(held);
      return task(await held.opened());
    }
  };
  return {
    git: () => held.git,
    work,
    ask: (question, { early = false } = {}) =>
      work(async ({ git, observe }) => {
        const guess = early ? await answerEarly(question, { git, observe }) : null;
        const away = await git.look();
        const snapshot = await observe();
        const offline = away && offlineNotice(away, clock);
        const isSame = guess !== null && offline === null && guess.seen === (await seenBy(git, snapshot));
        const answer = isSame ? guess.answer : question(snapshot, { git, observe, offline });
        return answer.catch((error: unknown) => throwNamingMerge(git, snapshot, error));
      }),
    close: async () => {
      await Promise.all(all.map((held) => held.close()));
    },
  };
}
/** null where there is nothing to be told before the look. */
async function answerEarly<Value>(
  question: Question<Value>,
  { git, observe }: Opened,
): Promise<{ readonly seen: string; readonly answer: Promise<Value> } | null> {
  // Nobody is waited for there.
  if (git.kind === 'local') return null;
  const snapshot = await observe().catch(() => null);
  if (snapshot === null) return null;
  const seen = await seenBy(git, snapshot);
  const answer = question(snapshot, { git, observe, offline: null });
  // Told where it counts.
  answer.catch(() => undefined);
  return { seen, answer };
}

/** All that a look can change. */
async function seenBy(git: GitRepository, { base, branch, layout }: Snapshot): Promise<string> {
  const { ledger, deployments } = layout.config;
  const refs = await Promise.all([ledger.ref, deployments.ref].map((ref) => git.ledger.peek(ref)));
  return JSON.stringify([branch, base, ...refs]);
}

interface Held {
  readonly git: GitRepository;
  opened(): Promise<Opened>;
  close(): Promise<void>;
}

/** A clone is read and published through its upstream, which is opened when it is first asked for. */
async function hold(options: RepositoryOptions): Promise<Held> {
  const { config, onNotice } = options;
  const { git: named, throughUpstream } = await openPlace(options);
  const open = async (): Promise<Opened> => {
    const branch = named.kind === 'local' ? await branchMeant(named, config) : null;
    const git = branch === null ? named : await throughUpstream(branch);
    if (git.renewed) onNotice(RENEWED);
    return { git, observe: createObserve(git, config) };
  };
  let opened: Promise<Opened> | null = null;
  return {
    git: named,
    opened: () => {
      opened ??= open().catch((error: unknown) => {
        opened = null;
        throw error;
      });
      return opened;
    },
    close: async () => {
      const found = await opened?.catch(() => null);
      await (found?.git ?? named).close();
    },
  };
}

const RENEWED: Notice = {
  code: 'MIRROR_RENEWED',
  severity: 'info',
  message:
    'The copy of the repository in the cache folder could not be used any more and has been fetched anew.',
};

export function offlineNotice({ asOf, cause }: Offline, clock: Clock): Notice {
  return {
    code: 'REMOTE_OFFLINE',
    severity: 'warn',
    message: `${cause.message} This is what stood there ${age(clock.now() - asOf.getTime())} ago, at ${asOf.toISOString().slice(0, 16).replace('T', ' ')} UTC.`,
    hint: 'A rollback needs the remote: run it when it is back.',
    asOf: asOf.toISOString(),
  };
}

/** `2 h`: the largest unit of which there is one. */
function age(milliseconds: number): string {
  const minutes = Math.max(0, Math.floor(milliseconds / 60_000));
  if (minutes < 1) return 'less than a minute';
  if (minutes < 60) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} days`;
}
