/** The pull request for a branch of ours: found, opened, or opened again. One, never two: it is looked for by its branch. */
import {
  type CodeHost,
  isFailure,
  type LedgerRequest,
  type MergeMethod,
  type MergeSettings,
  type ObjectId,
  type PublishRule,
  type PullRequest,
} from '../../model/index.ts';
import { requireRequest } from '../ledger/require-request.ts';
import type { RequestContext, Rules } from '../context.ts';
import { append } from '../ledger/append.ts';
import { onRequest } from '../ledger/entries.ts';

import { stamp } from '../context.ts';

/** The host of the place where this branch is published. @throws HOST_NOT_ALLOWED, HOST_UNAVAILABLE */
export async function hostOf(
  { git, hosts }: Pick<RequestContext, 'git' | 'hosts'>,
  { host }: Pick<Rules, 'host'>,
  branch: string,
): Promise<{ readonly host: CodeHost; readonly into: string }> {
  const destination = await git.destination(branch);
  return { host: await hosts.open(destination.address, host), into: destination.branch };
}

/** What people read. */
export interface Texts {
  readonly title: string;
  readonly body: string;
}

interface Opening {
  readonly branch: string;
  readonly head: ObjectId;
  readonly into: string;
  readonly labels: readonly string[];
  readonly text: Texts;
  /** What its host had for the branch a moment ago; it is asked where absent. */
  readonly found?: PullRequest | null;
}

/**
 * One that is open says what is proposed now; one that was closed is opened again where the host lets it be; else a new one is made. It is no draft
 * then.
 */
export async function openPullRequest(host: CodeHost, opening: Opening): Promise<PullRequest> {
  const made = await openOne(host, opening);
  if (made.isDraft) await host.setDraft(made.number, false);
  return made;
}

async function openOne(
  host: CodeHost,
  { branch, head, into, labels, text, found: known }: Opening,
): Promise<PullRequest> {
  const found = known === undefined ? await host.find(branch) : known;
  if (found?.state === 'open' && found.into === into) {
    await host.update(found.number, text);
    return found;
  }
  // For another branch by now: two that are open would be merged twice.
  if (found?.state === 'open') await host.closePullRequest(found.number);
  if (found?.state === 'closed' && found.into === into) {
    const again = await reopen(host, found, text);
    if (again !== null) return again;
  }
  return host.create({ branch, head, into, ...text, labels });
}

async function reopen(
  host: CodeHost,
  { number, branch }: PullRequest,
  text: Texts,
): Promise<PullRequest | null> {
  try {
    await host.reopenPullRequest(number);
    await host.update(number, text);
  } catch (error) {
    // Most hosts open none again whose branch was written anew.
    if (isFailure(error) && error.code === 'HOST_REFUSED') return null;
    throw error;
  }
  const found = await host.find(branch);
  return found?.state === 'open' ? found : null;
}

/** One that is open, and the requests that it brings. */
export interface Linking {
  readonly states: readonly LedgerRequest[];
  readonly pull: Pick<PullRequest, 'number' | 'url'>;
}

/** The ledger knows them from now on, by one push. */
export async function recordLinks(
  context: RequestContext,
  rules: Rules,
  linking: readonly Linking[],
): Promise<void> {
  await append(context, rules, async (ledgerSnapshot) => {
    const entries = [];
    for (const { states, pull } of linking)
      for (const { id, proposed } of states) {
        const { state } = await requireRequest(ledgerSnapshot, id);
        const isSame = state.proposed?.branch === proposed?.branch && state.status === 'approved';
        const link = { number: pull.number, url: pull.url };
        if (isSame && state.link?.number !== link.number)
          entries.push(onRequest(id, { ...stamp(context, context.committer), type: 'linked', link }));
      }
    return entries;
  });
}

/** How it is merged; null: the host allows no method, or not the one that the configuration names. */
export function methodOf(rule: Pick<PublishRule, 'method'>, { methods }: MergeSettings): MergeMethod | null {
  if (rule.method === null) return methods[0] ?? null;
  return methods.includes(rule.method) ? rule.method : null;
}
