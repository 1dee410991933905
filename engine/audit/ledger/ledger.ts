/** The ledger, as an audit reads it: no index, no memory of an earlier look; every request held against its own commits, once. */
import { isFailure, type ObjectId, type RequestId } from '../../model/index.ts';
import { LEDGER_REF } from '../../layout/configuration/parse.ts';
import type { RequestFile } from '../../record/ledger-file.ts';
import type { RequestContext } from '../../requests/context.ts';
import { type Proofs, proveRequest, readSignaturesOf } from '../../requests/ledger/proof.ts';
import { createCache, type LedgerSnapshot, snapshotAt } from '../../requests/ledger/snapshot.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { failureOf } from '../failures.ts';
import type { AuditReader } from '../line/reader.ts';
import { type Problem, problem } from '../problems.ts';
import type { LedgerProblem } from '../types.ts';

export interface LedgerAudit {
  readonly ref: string;
  /** null: there is none. */
  readonly tip: ObjectId | null;
  /** Found on opening it. */
  readonly problems: readonly LedgerProblem[];
  /** With what the ledger's own functions are called: the audit's reader, and keys. */
  readonly context: RequestContext;
  readonly snapshot: LedgerSnapshot;
  /** Looks at the signatures of many at once: git is started for some hundred commits, not for every request. */
  expect(ids: readonly RequestId[]): Promise<void>;
  /** null: it has no such request. */
  request(id: RequestId): Promise<ProvenRequest | null>;
}

/** A request, with who wrote each event; or what is wrong with its past. */
export type ProvenRequest =
  | { readonly file: RequestFile; readonly proofs: Proofs; readonly problem: null }
  | { readonly problem: Problem };

/** Of requests: those of the rows that are judged at the moment. */
const KEPT = 2000;

/** @throws GIT_MISSING, and what reading the ref fails with */
export async function openLedgerAudit(
  acting: RequestContext,
  reader: AuditReader,
  branch: Snapshot,
): Promise<LedgerAudit> {
  const ref = acting.config === null ? branch.layout.config.ledger.ref : LEDGER_REF;
  const problems: LedgerProblem[] = [];
  const tip = await acting.git.ledger.tip(ref).catch(async (error: unknown) => {
    if (!isFailure(error) || error.code !== 'LEDGER_REWOUND') throw error;
    problems.push(problem('LEDGER_REWOUND', error.message));
    return acting.git.ledger.peek(ref);
  });
  const context: RequestContext = { ...acting, git: reader.git, cache: createCache() };
  const snapshot = await snapshotAt({ git: reader.git, ref, cache: context.cache }, tip);
  return ledgerAuditOf({ ref, tip, problems, context, snapshot });
}

export function ledgerAuditOf(
  read: Pick<LedgerAudit, 'ref' | 'tip' | 'problems' | 'context' | 'snapshot'>,
): LedgerAudit {
  const { tip, context, snapshot } = read;
  const known = new Map<RequestId, Promise<ProvenRequest | null>>();
  const prove = async (id: RequestId): Promise<ProvenRequest | null> => {
    try {
      const file = await snapshot.request(id);
      return file && { file, proofs: await proveRequest(context, snapshot, file), problem: null };
    } catch (error) {
      return { problem: failureOf(error) };
    }
  };
  return {
    ...read,
    request: (id) => {
      const proven = known.get(id) ?? prove(id);
      if (known.size >= KEPT) known.clear();
      known.set(id, proven);
      return proven;
    },
    expect: async (ids) => {
      if (tip === null) return;
      const files = await Promise.all(ids.map((id) => snapshot.request(id).catch(() => null)));
      const found = files.filter((file) => file !== null);
      // What cannot be read is found again, and told, where it is asked for.
      await readSignaturesOf(context, snapshot, found).catch(failureOf);
    },
  };
}
