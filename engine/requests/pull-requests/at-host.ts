/** The host's half of following: one list of the open ones, a look at the details of those that changed or may be merged, one call to merge. */
import {
  BacktrailError,
  type CodeHost,
  isFailure,
  type LedgerRequest,
  type MergeMethod,
  type MergeSettings,
  type PublishRule,
  type PullRequest,
  type PullRequestDetails,
} from '../../model/index.ts';
import type { RequestFile } from '../../record/ledger-file.ts';
import type { EligibilityInput } from '../gate/eligibility.ts';
import { subjectOf } from './arrival.ts';
import { requireProved } from './proved.ts';
import { hostOf, methodOf, openPullRequest, recordLinks } from './host.ts';
import type { Following, Looking } from './looking.ts';
import { textOf, titleOf } from './text.ts';
import { wayOf } from './way.ts';

export interface HostLook {
  /** By number; null: it was not asked now. */
  readonly listed: ReadonlyMap<number, PullRequest> | null;
  readonly problem: BacktrailError | null;
}

export type HostStep =
  | { readonly kind: 'waits' }
  | { readonly kind: 'opened'; readonly url: string }
  /** `method`: ours, where this look has merged it. */
  | { readonly kind: 'merged'; readonly details: PullRequestDetails; readonly method?: MergeMethod }
  | { readonly kind: 'failed'; readonly error: BacktrailError }
  /** The branch has to be made anew, and why, as a sentence. */
  | { readonly kind: 'anew'; readonly why: string };

/** Milliseconds. So often at most the open ones are listed, for each page of a hundred; three times as long where nothing changes. */
const LIST_EVERY = 20_000;
const PAGE = 100;
const MOST_QUIET = 3;
/** Milliseconds: a branch is made anew for its host no more often, and one is looked at no more often because its base moved. */
const ANEW_EVERY = 10 * 60_000;
/** Milliseconds: whoever takes one back closes it first, and writes that down next. */
export const SETTLING = 60_000;

type Group = readonly RequestFile[];

const viaHost = ({ state }: RequestFile) => state.proposed?.via === 'pull-request';

/** One list for all, at growing intervals. */
export async function lookAtHost(
  { context, rules, snapshot, isAsked }: Following,
  look: Looking,
  groups: readonly Group[],
): Promise<HostLook> {
  const followed = groups.filter((group) => group.some(viaHost));
  const now = context.clock.now();
  const hasOpen = followed.some((group) => group.some(({ state }) => state.link !== null));
  if (!hasOpen) return { listed: null, problem: null };
  if (!isAsked && now < look.nextListAt) return { listed: null, problem: look.listProblem };
  try {
    const { host } = await hostOf(context, rules, snapshot.branch);
    const open = await host.listOpen();
    const listed = new Map(open.map((each) => [each.number, each]));
    const isQuiet = followed.every((group) => {
      const one = listed.get(group[0]?.state.link?.number ?? 0);
      return one !== undefined && look.details.get(one.number)?.details.updatedAt === one.updatedAt;
    });
    look.quiet = isQuiet ? Math.min(look.quiet + 1, MOST_QUIET) : 0;
    look.nextListAt = now + LIST_EVERY * Math.max(1, Math.ceil(open.length / PAGE)) * Math.max(1, look.quiet);
    look.listProblem = null;
    return { listed, problem: null };
  } catch (error) {
    if (!isFailure(error)) throw error;
    look.listProblem = error;
    look.nextListAt = now + LIST_EVERY;
    return { listed: null, problem: error };
  }
}

export interface FollowedGroup {
  readonly found: readonly EligibilityInput[];
  /** What was proposed is what was approved: nothing else is opened. */
  readonly isProved: boolean;
  readonly listed: HostLook['listed'];
}

/** What there is to do for one pull request. @throws what the host fails with: it is looked at again */
export async function followAtHost(
  following: Following,
  look: Looking,
  { found, isProved, listed }: FollowedGroup,
): Promise<HostStep> {
  const { context, rules, snapshot } = following;
  const group = found.map(({ file }) => file);
  const [first] = group;
  const state = first?.state;
  if (first === undefined || state === undefined || state.proposed?.via !== 'pull-request')
    return { kind: 'waits' };
  const rule = await wayOf(context, rules, state);
  const open = async (): Promise<HostStep> =>
    isProved ? openFor(following, group, rule) : { kind: 'waits' };
  if (state.link === null) return open();
  if (listed === null) return { kind: 'waits' };
  const { branch, tip } = state.proposed;
  const isAuto = rule.merge === 'auto' && rule.via === 'pull-request';
  if (!isAuto && isAsRead(following, look, { file: first, seen: listed.get(state.link.number) }))
    return { kind: 'waits' };
  const { host, into } = await hostOf(context, rules, snapshot.branch);
  const details = await host.read(state.link.number);
  look.details.set(details.number, { details, base: snapshot.base, at: context.clock.now() });
  // Whoever wrote the ledger has named another one.
  if (details.branch !== branch) return open();
  if (details.state === 'merged') return { kind: 'merged', details };
  if (details.state === 'closed') return ended(following, details);
  if (details.into !== into) return { kind: 'failed', error: retargeted(details, into) };
  // The host may not have seen our own last push yet.
  if (details.head !== tip && (await context.git.proposedAt(branch)) !== tip)
    return { kind: 'failed', error: changed(details) };
  if (details.head !== tip) return { kind: 'waits' };
  if (isOutdated(details))
    return isRested(following, first)
      ? { kind: 'anew', why: 'Its branch was made anew on a newer base, as its host asks for.' }
      : { kind: 'waits' };
  if (!isAuto || details.mergeability !== 'yes' || details.isDraft) return { kind: 'waits' };
  if (!group.every((each) => look.isChecked(each.state, snapshot.base))) return { kind: 'waits' };
  return merge(following, { found, rule, host, details, into });
}

function ended({ context }: Following, details: PullRequestDetails): HostStep {
  const isNew = Math.abs(context.clock.now() - Date.parse(details.updatedAt)) < SETTLING;
  return isNew ? { kind: 'waits' } : { kind: 'failed', error: closed(details) };
}

const isOutdated = ({ mergeability }: PullRequestDetails) =>
  mergeability === 'behind' || mergeability === 'conflict';

/** Whether a look would say what was read before. That only its base moved, a host does not date. */
function isAsRead(
  { context, snapshot }: Following,
  look: Looking,
  { file, seen }: { readonly file: RequestFile; readonly seen: PullRequest | undefined },
): boolean {
  const known = look.details.get(seen?.number ?? 0);
  if (seen === undefined || known === undefined || known.details.updatedAt !== seen.updatedAt) return false;
  if (known.details.head !== file.state.proposed?.tip) return false;
  if (isOutdated(known.details) && isRested({ context }, file)) return false;
  return known.base === snapshot.base || context.clock.now() - known.at < ANEW_EVERY;
}

/** What the host says of one that the branch holds; null where it does not answer, or may not be asked. */
export async function detailsAtHost(
  { context, rules, snapshot }: Following,
  { link, proposed }: LedgerRequest,
): Promise<{ readonly details: PullRequestDetails; readonly hasQueue: boolean } | null> {
  if (link === null) return null;
  try {
    const { host, into } = await hostOf(context, rules, snapshot.branch);
    let details = await host.read(link.number);
    if (details.branch !== proposed?.branch) return null;
    // It came another way, and nothing is to be merged any more; or the host is about to say that it is merged.
    if (details.state === 'open') {
      await host.closePullRequest(details.number).catch((error: unknown) => {
        if (!isFailure(error)) throw error;
      });
      details = await host.read(link.number);
    }
    const { hasQueue } = await host.settings(into);
    // Rules of GitHub's older kind do not tell of their queue.
    const isQueued = hasQueue || details.mergedBy === 'github-merge-queue[bot]';
    return { details, hasQueue: isQueued && details.state === 'merged' };
  } catch (error) {
    if (isFailure(error)) return null;
    throw error;
  }
}

/** Also one that is open already: it says what is proposed now. */
export async function openFor(following: Following, group: Group, rule: PublishRule): Promise<HostStep> {
  const { context, rules, snapshot } = following;
  const { host, into } = await hostOf(context, rules, snapshot.branch);
  const states = group.map(({ state }) => state);
  const { branch = '', tip: head = '' } = states[0]?.proposed ?? {};
  const text = await textOf(following, group);
  const made = await openPullRequest(host, { branch, head, into, labels: rule.labels, text });
  await recordLinks(context, rules, [{ states, pull: made }]);
  return { kind: 'opened', url: made.url };
}

interface MergeInput {
  readonly found: readonly EligibilityInput[];
  readonly rule: PublishRule;
  readonly host: CodeHost;
  readonly details: PullRequestDetails;
  readonly into: string;
}

/** One call, with the head that was proved to be what was approved. Never the host's own auto-merge. */
async function merge(
  { snapshot }: Following,
  { found, rule, host, details, into }: MergeInput,
): Promise<HostStep> {
  const group = found.map(({ file }) => file);
  const settings: MergeSettings = await host.settings(into);
  const method = methodOf(rule, settings);
  if (settings.hasQueue) return { kind: 'waits' };
  if (method === null) throw unmergeable(details, settings);
  await requireProved(snapshot, found);
  const messages = group.flatMap(({ state }) => state.proposed?.messages ?? []);
  const [first] = messages;
  if (first === undefined) return { kind: 'waits' };
  const [title, message] =
    messages.length === 1
      ? [subjectOf(first.revert), bodyOf(first.revert)]
      : [titleOf(group), messages.map(({ revert }) => `* ${subjectOf(revert)}`).join('\n')];
  const outcome = await host.merge(details.number, { head: details.head, method, title, message });
  if (outcome === 'moved') return { kind: 'waits' };
  if (outcome === 'refused') throw unmerged(host, details);
  return { kind: 'merged', details: await host.read(details.number), method };
}

const bodyOf = (message: string) => message.slice(subjectOf(message).length).trim();

export function isRested({ context }: Pick<Following, 'context'>, file: RequestFile | undefined): boolean {
  const at = file?.events.findLast(({ type }) => type === 'proposed')?.at;
  return at === undefined || context.clock.now() - Date.parse(at) >= ANEW_EVERY;
}

const unmergeable = ({ number, into }: PullRequestDetails, { methods }: MergeSettings) =>
  new BacktrailError(
    'METHOD_REFUSED',
    `Pull request ${number} is not merged: its host does not allow the method into ${into} that the configuration names; it allows ${methods.join(', ') || 'none'}.`,
  );

/** Although it said that its rules are met. */
const unmerged = ({ name }: CodeHost, { number }: PullRequestDetails) =>
  new BacktrailError('HOST_REFUSED', `${name} does not merge pull request ${number} for the token now.`, {
    details: { host: name },
  });

const closed = ({ number }: PullRequestDetails) =>
  new BacktrailError('PULL_REQUEST_CLOSED', `Pull request ${number} was closed, and not merged.`);

const changed = ({ number }: PullRequestDetails) =>
  new BacktrailError(
    'PULL_REQUEST_CHANGED',
    `The branch of pull request ${number} holds something else than what was approved; it is left open.`,
  );

const retargeted = ({ number, into: now }: PullRequestDetails, into: string) =>
  new BacktrailError(
    'PULL_REQUEST_CHANGED',
    `Pull request ${number} is for ${now} by now, and not for ${into}; it is left open.`,
  );
