/** The claims of a ledger, read once and then only what came since; kept in the cache folder, so that whoever asks next need not read the ledger. */
import * as z from 'zod';
import { isObjectId, isRequestId, type ObjectId } from '../../model/index.ts';
import type { GitRepository } from '../../git/open.ts';
import { requestPath } from '../../record/ledger-file.ts';
import { readCommits } from '../ledger/commits.ts';
import { type LedgerCache, type LedgerSnapshot, snapshotAt } from '../ledger/snapshot.ts';
import { type Claim, claimOf } from './claim.ts';
import type { Known } from './confirm.ts';
import type { SeenCommit } from './seen-commit.ts';

export interface KnownClaims extends Known {
  readonly tip: ObjectId;
  readonly claims: readonly Claim[];
}

interface Place {
  readonly git: GitRepository;
  readonly ref: string;
  /** Asked only where the ledger has to be read. */
  readonly cache: () => Promise<LedgerCache>;
}

/** Those of the ledger at a commit of it; `before`: what was known at an earlier one. @throws LEDGER_TAMPERED, LEDGER_NEWER */
export async function claimsAt(
  place: Place,
  tip: ObjectId,
  before: KnownClaims | null,
): Promise<KnownClaims> {
  const known = before ?? parseClaims((await place.git.ledger.arrivals.read(place.ref)) ?? '');
  if (known?.tip === tip) return known;
  const ledger = await snapshotAt({ git: place.git, ref: place.ref, cache: await place.cache() }, tip);
  const claims = (known && (await claimsSince(place, ledger, known, tip))) ?? (await allClaims(ledger));
  const found: KnownClaims = {
    tip,
    claims,
    seen: known?.seen ?? new Map(),
    judged: known?.judged ?? new Map(),
  };
  await writeClaims(place, found);
  return found;
}

async function allClaims(ledger: LedgerSnapshot): Promise<readonly Claim[]> {
  const files = await ledger.containing('"arrived":');
  const claims = await Promise.all(files.map(claimOf));
  return claims.filter((claim) => claim !== null);
}

/** null where the ledger does not go on from there. */
async function claimsSince(
  { git }: Place,
  ledger: LedgerSnapshot,
  known: KnownClaims,
  tip: ObjectId,
): Promise<readonly Claim[] | null> {
  if (!(await git.isAncestor(known.tip, tip).catch(() => false))) return null;
  const commits = await readCommits(git, { tip, after: known.tip, latest: 0 });
  const paths = new Set(commits.flatMap(({ files }) => files.map(({ path }) => path)));
  const claims = new Map(known.claims.map((claim) => [claim.requestId, claim]));
  for (const path of paths) {
    const id = /([^/]+)\.json$/.exec(path)?.[1] ?? '';
    if (!isRequestId(id) || requestPath(id) !== path) continue;
    const file = await ledger.request(id);
    const claim = file && (await claimOf(file));
    if (claim) claims.set(id, claim);
    else claims.delete(id);
  }
  return [...claims.values()];
}

/** Changes whenever what is written does. */
const FORM = 1;

/** Best effort. */
export async function writeClaims(
  { git, ref }: Pick<Place, 'git' | 'ref'>,
  { tip, claims, seen, judged }: KnownClaims,
): Promise<void> {
  const head = JSON.stringify({ form: FORM, tip });
  await git.ledger.arrivals.write(
    ref,
    `${head}\n${JSON.stringify({ claims, seen: [...seen.values()], judged: [...judged] })}`,
  );
}

/** null for the text of another version, or of none. */
function parseClaims(text: string): KnownClaims | null {
  if (text === '') return null;
  const [head = '', body = ''] = text.split('\n', 2);
  const { data } = HEAD.safeParse(JSON.parse(head));
  if (data === undefined) return null;
  // This program's own: the file is checked as a whole, and of one version.
  const written: { claims: Claim[]; seen: SeenCommit[]; judged: [string, boolean][] } = JSON.parse(body);
  const { claims, seen, judged } = written;
  return {
    tip: data.tip,
    claims,
    seen: new Map(seen.map((each) => [each.commit.id, each])),
    judged: new Map(judged),
  };
}

const HEAD = z.object({ form: z.literal(FORM), tip: z.string().refine(isObjectId) });
