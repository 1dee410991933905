/** A ledger of any number of requests, as one fast-import stream that writes what Backtrail itself would, unsigned. */
import { createHash } from 'node:crypto';
import {
  formatCoordinates,
  makeEventId,
  makeRequestId,
  type ObjectId,
  type Person,
  type RequestEvent,
  type RequestProposal,
  type Scope,
} from '../../engine/model/index.ts';
import { printFile, requestPath } from '../../engine/record/ledger-file.ts';
import { requestSummary } from '../../engine/record/request-summary.ts';
import { foldRequest } from '../../engine/record/transitions.ts';
import { requestMessage } from '../../engine/requests/ledger/messages.ts';

export interface LedgerSize {
  readonly requests: number;
  /** So many of them, the newest, are still open. */
  readonly open: number;
  readonly scopeOf: (index: number) => Scope;
  readonly target: ObjectId;
  readonly base: ObjectId;
  readonly author: Person;
  /** When those that are open expire, ISO 8601; never where absent. */
  readonly expiresAt?: string;
  /** Milliseconds since 1970 of the newest request; each is a minute after the one before. */
  readonly newest: number;
}

/** Each closed request has two events, `opened` and `completed`. */
export function* ledgerStream(size: LedgerSize, ref = 'refs/backtrail/ledger'): Generator<string> {
  const { requests, open, scopeOf, target, base, author, newest, expiresAt } = size;
  for (let index = 0; index < requests; index += 1) {
    const now = newest - (requests - index) * 60_000;
    const at = new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
    const scope = scopeOf(index);
    const id = makeRequestId(now, bytes(index));
    const isOpen = index >= requests - open;
    const proposal: RequestProposal = {
      id,
      scope,
      target,
      targetVersion: 1,
      allowRemoval: false,
      justification: `Request ${index}`,
      message: requestSummary({ scope, target, targetVersion: 1 }),
      author,
      createdAt: at,
      expiresAt: isOpen ? (expiresAt ?? null) : null,
      follows: null,
      supersedes: null,
      config: null,
    };
    const digest = `sha256:${index.toString(16).padStart(64, '0')}`;
    const terms = { base, digest, rendered: null, affectedServices: scope.service ? [scope.service] : [] };
    const stamp = (part: number) => ({ id: makeEventId(now + part, bytes(index, part)), at, actor: author });
    const gate = isOpen ? null : 'no-policy';
    const events: RequestEvent[] = [
      { ...stamp(0), type: 'opened', proposal, terms, gate, session: null },
      ...(isOpen
        ? []
        : [
            {
              ...stamp(1),
              type: 'completed' as const,
              outcome: 'unchanged' as const,
              commit: null,
              deliveryCommit: null,
            },
          ]),
    ];
    const seconds = Math.floor(now / 1000);
    for (const [last, event] of events.entries()) {
      const all = events.slice(0, last + 1);
      const state = foldRequest(all);
      const message = requestMessage(event, state, formatCoordinates(scope));
      yield `commit ${ref}\nauthor ${author.name} <${author.email}> ${seconds} +0000\n`;
      yield `committer Backtrail <backtrail@localhost> ${seconds} +0000\n${data(message)}`;
      yield `M 100644 inline ${requestPath(id)}\n${data(printFile({ state, events: all }))}`;
    }
  }
}

const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;

/** Ten bytes that look random, the same each time. */
const bytes = (index: number, part = 0) =>
  createHash('sha256').update(`${index} ${part}`).digest().subarray(0, 10);
