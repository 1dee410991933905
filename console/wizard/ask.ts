/** What the address of the wizard says: each step, and each choice, is in it. */
import { type ScopeNames, scopeName, scopePath } from '../data/paths.ts';
import { commandLine } from '../parts/shell-words.ts';
import type { PlanBody } from '../plan/planned.ts';

export const STEPS = ['scope', 'tenant-environment', 'revision', 'preview', 'submit'] as const;
export type Step = (typeof STEPS)[number];
export const MODES = ['full', 'service', 'field'] as const;
export type Mode = (typeof MODES)[number];
/** Absent: as what is restored says. */
export type Hold = 'yes' | 'no' | null;

export interface Ask {
  readonly names: ScopeNames;
  readonly step: Step;
  readonly mode: Mode;
  /** A revision as people name it; empty: none is chosen. */
  readonly to: string;
  /** `path#selector` each. */
  readonly fields: readonly string[];
  /** Codes of findings that are to let it go ahead. */
  readonly overrides: readonly string[];
  readonly removal: boolean;
  readonly whole: boolean;
  readonly hold: Hold;
  /** As `7d`; empty: until it is resumed. */
  readonly holdFor: string;
  /** A failed request, in whose place it is. */
  readonly follows: string;
  /** Digest of the plan that was looked at. */
  readonly seen: string;
}

/** `search`: what stands behind `?`. */
export function askOf(names: ScopeNames, search: string): Ask {
  const query = new URLSearchParams(search);
  const get = (key: string) => query.get(key) ?? '';
  const fallback: Mode = names.service ? 'service' : 'full';
  return {
    names,
    step: STEPS.find((each) => each === get('step')) ?? 'scope',
    mode: MODES.find((each) => each === get('mode')) ?? fallback,
    to: get('to'),
    fields: query.getAll('field').filter((field) => field !== ''),
    overrides: query.getAll('override').filter((code) => code !== ''),
    removal: get('removal') === 'yes',
    whole: get('whole') === 'yes',
    hold: (['yes', 'no'] as const).find((each) => each === get('hold')) ?? null,
    holdFor: get('for'),
    follows: get('follows'),
    seen: get('plan'),
  };
}

/** The address of it, with what is changed. */
export function askPath(ask: Ask, change: Partial<Ask> = {}): string {
  const { names, step, mode, to, fields, overrides, removal, whole, hold, holdFor, follows, seen } = {
    ...ask,
    ...change,
  };
  const given: (readonly [string, string])[] = [
    ['step', step],
    ['mode', mode],
    ['to', to],
    ...fields.map((field) => ['field', field] as const),
    ...overrides.map((code) => ['override', code] as const),
    ['removal', removal ? 'yes' : ''],
    ['whole', whole ? 'yes' : ''],
    ['hold', hold ?? ''],
    ['for', hold === 'yes' ? holdFor : ''],
    ['follows', follows],
    ['plan', seen],
  ];
  const query = new URLSearchParams(given.filter(([, value]) => value !== '').map(([...pair]) => pair));
  return `${scopePath(names, 'rollback')}?${query.toString()}`;
}

/** null: something is not chosen yet. `target`: the commit, where it is known; versions of fields are counted on their own. */
export function bodyOf(ask: Ask, target: string | null = null): PlanBody | null {
  const { names, mode, to, fields, overrides, removal, whole, hold, holdFor } = ask;
  if (to === '' || (mode === 'field' && fields.length === 0)) return null;
  return {
    ...scopeBody(names),
    mode,
    target: target ?? to,
    ...(mode === 'field' && { selectedFields: fields }),
    ...(overrides.length > 0 && { override: overrides }),
    ...(removal && { allowRemoval: true }),
    ...(whole && { wholeFile: true }),
    ...(hold !== null && { hold: hold === 'yes' }),
    ...(hold === 'yes' && holdFor !== '' && { holdFor }),
  };
}

/** All that fields could be chosen of. */
export const offerOf = ({ names, to }: Pick<Ask, 'names' | 'to'>): PlanBody => ({
  ...scopeBody(names),
  mode: names.service ? 'service' : 'full',
  target: to,
});

const scopeBody = ({ tenant, environment, service }: ScopeNames) => ({
  ...(tenant && tenant !== '-' && { tenant }),
  environment,
  ...(service && { service }),
});

interface Said {
  /** The commit, where it is known. */
  readonly target?: string | null;
  /** Empty where none was written yet. */
  readonly reason?: string;
  /** Whoever may not ask for it can look at it. */
  readonly mayAsk?: boolean;
}

/** What does the same at a terminal; null: not all of it is chosen yet. Without a revision it is the one that the next step suggests. */
export function lineOf(ask: Ask, { target, reason, mayAsk = true }: Said = {}): string | null {
  const { names, mode, to, fields, overrides, removal, whole, hold, holdFor, follows } = ask;
  if (mode === 'field' && (fields.length === 0 || to === '')) return null;
  const isPlain = mode !== 'field' && !removal && !whole && hold === null;
  if (follows !== '' && to !== '' && isPlain && mayAsk)
    return commandLine('request', 'retry', follows, '--to', to, ...saidOf(overrides, reason));
  return commandLine(
    mayAsk ? 'rollback' : 'plan',
    scopeName(names),
    '--to',
    mode === 'field' ? (target ?? to) : to || 'previous',
    ...(mode === 'field' ? fields.flatMap((field) => ['--field', field]) : []),
    removal && '--allow-removal',
    whole && '--whole-file',
    hold === 'yes' && '--hold',
    hold === 'no' && '--no-hold',
    ...(hold === 'yes' && holdFor !== '' ? ['--hold-for', holdFor] : []),
    ...saidOf(overrides, mayAsk ? reason : ''),
  );
}

const saidOf = (overrides: readonly string[], reason: string | undefined): readonly string[] => [
  ...overrides.flatMap((code) => ['--override', code]),
  ...(reason ? ['--reason', reason] : []),
];
