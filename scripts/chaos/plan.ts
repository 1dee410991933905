/** What a run asks for: everything about it follows from the seed and a number, so that a run that was killed goes on with the same. */
import { createHash } from 'node:crypto';
import { deriveRequestId } from '../../engine/internal.ts';
import { generator } from './random.ts';

/** `many`: opened with others in one call; `direct`: by itself; the others are in an environment that asks for an approval. */
type Wish = 'many' | 'direct' | 'approve' | 'reject' | 'cancel';

export interface Asked {
  readonly id: string;
  readonly scope: string;
  readonly folder: string;
  readonly to: 'v1' | 'v2';
  readonly wish: Wish;
  /** The server refuses this one, whatever it comes with. */
  readonly refused: boolean;
  /** A worker finds it in the ledger: nobody enqueues it. */
  readonly unannounced: boolean;
}

/** Services of a tenant. */
export const SERVICES = 50;
/** As many are opened together. */
export const BATCH = 50;
const REFUSED_EVERY = 997;

const environmentOf = (number: number) => (number % 20 === 7 ? 'production' : 'staging');

/** The rollback with this number: each is of a service of its own. */
export function askedFor(seed: number, number: number): Asked {
  const random = generator(seed * 31 + number);
  const environment = environmentOf(number);
  const tenant = `t${String(Math.floor(number / SERVICES)).padStart(4, '0')}`;
  const service = `s${String(number % SERVICES).padStart(2, '0')}`;
  const digest = createHash('sha256').update(`chaos ${seed} ${number}`).digest();
  return {
    id: deriveRequestId(digest.subarray(0, 16)),
    scope: `${tenant}/${environment}/${service}`,
    folder: `tenants/${tenant}/${environment}/${service}`,
    to: random(3) === 0 ? 'v1' : 'v2',
    wish: wishOf(number, environment, random(8)),
    refused: environment === 'staging' && number % REFUSED_EVERY === 60,
    unannounced: random(3) === 0,
  };
}

function wishOf(number: number, environment: string, vote: number): Wish {
  if (environment === 'production') return vote === 0 ? 'reject' : vote === 1 ? 'cancel' : 'approve';
  return number % 50 === 11 ? 'direct' : 'many';
}

export const allAsked = (seed: number, count: number): Asked[] =>
  Array.from({ length: count }, (_, number) => askedFor(seed, number));

/** The troubles of a run, by turns of the same wheel. */
export const TROUBLES = [
  'worker killed',
  'opener killed',
  'redis killed',
  'redis flushed',
  'remote refuses',
  'remote away',
  'locks in the remote',
  'locks in a mirror',
  'disk full',
] as const;
type Trouble = (typeof TROUBLES)[number];

/** Killed workers are the most frequent of them. */
const WHEEL: readonly Trouble[] = [...TROUBLES, 'worker killed', 'worker killed'];

export interface Turn {
  readonly trouble: Trouble;
  /** Milliseconds before it begins, and that it lasts. */
  readonly waits: number;
  /** So many requests are opened or end before it begins, where that does not take too long. */
  readonly steps: number;
  readonly lasts: number;
  /** Which of several: workers, files. */
  readonly pick: number;
}

/** The trouble with this number, counted from 0. The first ones are one of each kind, in an order of the seed. */
export function troubleAt(seed: number, number: number): Turn {
  const random = generator(seed * 7919 + number);
  const order = shuffled(seed);
  const drawn = WHEEL[random(WHEEL.length)] ?? 'worker killed';
  return {
    trouble: order[number] ?? drawn,
    waits: 2000 + random(6000),
    steps: 1 + random(40),
    lasts: 1000 + random(4000),
    pick: random(1_000_000),
  };
}

function shuffled(seed: number): Trouble[] {
  const random = generator(seed);
  const left = [...TROUBLES];
  return TROUBLES.map(() => left.splice(random(left.length), 1)[0] ?? 'worker killed');
}
