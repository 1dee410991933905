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
export const offerOf = ({ names, to }: Ask): PlanBody => ({
  ...scopeBody(names),
  mode: names.service ? 'service' : 'full',
  target: to,
});

const scopeBody = ({ tenant, environment, service }: ScopeNames) => ({
  ...(tenant && tenant !== '-' && { tenant }),
  environment,
  ...(service && { service }),
});

/** The same as a command line; `reason`: empty where none was written yet. */
export function lineOf(ask: Ask, { target, reason }: { target?: string | null; reason?: string } = {}) {
  const { names, mode, to, fields, overrides, removal, whole, hold, holdFor } = ask;
  return commandLine(
    'rollback',
    scopeName(names),
    ...(to === '' ? [] : ['--to', mode === 'field' ? (target ?? to) : to]),
    ...(mode === 'field' ? fields.flatMap((field) => ['--field', field]) : []),
    ...overrides.flatMap((code) => ['--override', code]),
    removal && '--allow-removal',
    whole && '--whole-file',
    hold === 'yes' && '--hold',
    hold === 'no' && '--no-hold',
    ...(hold === 'yes' && holdFor !== '' ? ['--hold-for', holdFor] : []),
    ...(reason ? ['--reason', reason] : []),
  );
}
