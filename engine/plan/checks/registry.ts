/** The checks by their codes (engine/model/checks.ts), how they are run, and how severe their findings are. */
import {
  BacktrailError,
  CHECK_CODES,
  type CheckCode,
  CHECKS,
  type ChecksConfig,
  FAILURES,
  type Finding,
  isCheckCode,
  type Plan,
  type Severity,
} from '../../model/index.ts';
import type { CheckInput, ContentCheck, Observations, ObservedCheck, RawFinding } from '../check-input.ts';
import { checkFeatures } from './features.ts';
import { checkMissingImages, checkMutableImages, checkUncheckedImages } from './images.ts';
import { checkInFlight } from './in-flight.ts';
import { checkDangling } from './manifests/dangling-reference.ts';
import { checkDestructive } from './manifests/destructive.ts';
import { checkFixedFields } from './manifests/fixed-field.ts';
import { checkImmutable } from './manifests/immutable-field.ts';
import { checkRawSecrets } from './manifests/raw-secret.ts';
import { checkMigrations } from './migration-crossed.ts';
import { checkPush } from './push-denied.ts';
import { checkRecurring } from './recurring.ts';
import { checkSharedFiles } from './shared-file.ts';
import { checkTarget } from './target-ineligible.ts';
import { checkWindows } from './windows.ts';

/** By what each check finds something: the content of a plan, what was observed, or another part of planning (null). */
const BY_CODE: Readonly<Record<CheckCode, { content: ContentCheck } | { observed: ObservedCheck } | null>> = {
  TARGET_INELIGIBLE: { content: checkTarget },
  FIXED_FIELD: { content: checkFixedFields },
  IMMUTABLE_FIELD: { content: checkImmutable },
  DESTRUCTIVE: { content: checkDestructive },
  MIGRATION_CROSSED: { content: checkMigrations },
  RAW_SECRET: { content: checkRawSecrets },
  DANGLING_REFERENCE: { content: checkDangling },
  SHARED_FILE: { content: checkSharedFiles },
  // Found where the plan is made: `checkShared`.
  SHARED_CHANGED: null,
  IMAGE_MISSING: { observed: checkMissingImages },
  IMAGE_MUTABLE: { observed: checkMutableImages },
  IMAGE_UNCHECKED: { observed: checkUncheckedImages },
  WINDOW_CLOSED: { content: checkWindows },
  MODE_FORBIDDEN: { content: checkFeatures },
  RECURRING: { content: checkRecurring },
  IN_FLIGHT: { observed: checkInFlight },
  PUSH_DENIED: { observed: checkPush },
};

/** Whether findings of this code were observed when the plan was shown: they say nothing of how it was executed. */
export function isObserved(code: string): boolean {
  const check = isCheckCode(code) ? BY_CODE[code] : null;
  return check !== null && 'observed' in check;
}

/** What is looked at where holds are lifted, and nothing is restored. */
const OF_RESUMES: ReadonlySet<CheckCode> = new Set(['WINDOW_CLOSED']);

/** The plan with the findings of all checks of its content, or of these. */
export async function checkContent(
  input: CheckInput,
  overrides: readonly CheckCode[],
  codes: readonly CheckCode[] = CHECK_CODES,
): Promise<Plan> {
  const { plan, snapshot } = input;
  const { checks } = snapshot.layout.config;
  const found: RawFinding[] = [];
  for (const code of plan.files.length === 0 ? [] : codes) {
    const check = BY_CODE[code];
    if (plan.resumes && !OF_RESUMES.has(code)) continue;
    if (check === null || !('content' in check) || checks.severity[code] === 'off') continue;
    found.push(...(await check.content(input)));
  }
  return settle(plan, found, { checks, overrides });
}

/** The plan with the findings of what was observed. */
export function checkObserved(
  plan: Plan,
  observed: Observations,
  how: { readonly checks: ChecksConfig; readonly overrides: readonly CheckCode[] },
): Plan {
  if (plan.files.length === 0) return plan;
  const found = CHECK_CODES.flatMap((code) => {
    const check = BY_CODE[code];
    return check !== null && 'observed' in check ? check.observed(plan, observed) : [];
  });
  return settle(plan, found, how);
}

/** Adds findings as severe as the configuration says; a block that is overridden becomes a warning that says so. */
function settle(
  plan: Plan,
  found: readonly RawFinding[],
  { checks, overrides }: { readonly checks: ChecksConfig; readonly overrides: readonly CheckCode[] },
): Plan {
  const used = new Set<CheckCode>(plan.overrides);
  const judge = ({ code, atLeast, atMost, ...rest }: RawFinding): Finding[] => {
    const set = checks.severity[code] ?? CHECKS[code].severity;
    if (set === 'off') return [];
    const severity = within(set, atLeast, atMost);
    const finding = { code, hint: CHECKS[code].next, ...rest };
    if (severity !== 'block') return [{ ...finding, severity }];
    if (!CHECKS[code].overridable) return [{ ...finding, severity }];
    if (!overrides.includes(code))
      return [
        {
          ...finding,
          severity,
          hint: `${finding.hint} Or go ahead all the same: --override ${code}.`,
          remedy: 'override',
        },
      ];
    used.add(code);
    return [{ ...finding, severity: 'warn', overridden: true }];
  };
  const before = plan.findings.flatMap((finding): Finding[] => {
    const { code, severity: _, remedy: __, ...rest } = finding;
    // Judged before, or no finding of a check.
    if (finding.overridden || !isCheckCode(code) || BY_CODE[code] !== null) return [finding];
    return judge({ code, ...rest });
  });
  const findings = [...before, ...found.flatMap(judge)];
  return { ...plan, findings, overrides: [...used].sort() };
}

const RANK: readonly Severity[] = ['info', 'warn', 'block'];

function within(severity: Severity, atLeast: Severity = 'info', atMost: Severity = 'block'): Severity {
  const rank = Math.min(Math.max(RANK.indexOf(severity), RANK.indexOf(atLeast)), RANK.indexOf(atMost));
  return RANK[rank] ?? severity;
}

/** Blocking first, then warnings; each with what to do next, as far as that is known. */
export function inOrder(findings: readonly Finding[]): Finding[] {
  const rank = ({ severity }: Finding) => -RANK.indexOf(severity);
  return findings.toSorted((a, b) => rank(a) - rank(b)).map(withHint);
}

function withHint(finding: Finding): Finding {
  const { code } = finding;
  if (finding.hint !== undefined) return finding;
  const hint = isFailureCode(code) ? FAILURES[code].hint : NEXT[code];
  return hint === undefined ? finding : { ...finding, hint };
}

/** What to do next where a notice says nothing better. */
const NEXT: Readonly<Partial<Record<Finding['code'], string>>> = {
  NOTHING_TO_DO: 'Choose another revision: `backtrail history SCOPE` lists them.',
  KEPT_PATH: '`keep` in the configuration says what no rollback touches.',
  REMOVAL_ALLOWED: 'Leave --allow-removal out to keep it.',
  WHOLE_FILE: 'Leave --whole-file out to restore the selected parts alone.',
  BREAK_GLASS: '`backtrail break-glass list` shows what waits for a review.',
};

const isFailureCode = (code: string): code is keyof typeof FAILURES => Object.hasOwn(FAILURES, code);

/**
 * The checks that `--override` names. `allow-removal` and `TARGET_ABSENT` are the removal that a plan allows otherwise, and no check.
 *
 * @throws INVALID_REQUEST for what is no check, and for one that nobody can override
 */
export function readOverrides(names: readonly string[]): {
  readonly codes: readonly CheckCode[];
  readonly allowRemoval: boolean;
} {
  const codes = new Set<CheckCode>();
  let allowRemoval = false;
  for (const name of names) {
    if (name === 'allow-removal' || name === 'TARGET_ABSENT') allowRemoval = true;
    else if (isCheckCode(name) && CHECKS[name].overridable) codes.add(name);
    else throw unknownOverride(name);
  }
  return { codes: [...codes].sort(), allowRemoval };
}

function unknownOverride(name: string): BacktrailError {
  const shown = JSON.stringify(name.slice(0, 60));
  const exists = isCheckCode(name) || isFailureCode(name);
  const known = CHECK_CODES.filter((code) => CHECKS[code].overridable).join(', ');
  return new BacktrailError(
    'INVALID_REQUEST',
    exists ? `${shown} cannot be overridden.` : `There is no check ${shown}.`,
    { hint: `What can be overridden: ${known}, allow-removal.` },
  );
}

/** OVERRIDE_UNUSED: what was to be overridden and does not block is not recorded. */
export function unusedOverrides(plan: Plan, overrides: readonly CheckCode[]): Finding[] {
  const unused = overrides.filter((code) => !plan.overrides.includes(code));
  if (unused.length === 0) return [];
  return [
    {
      code: 'OVERRIDE_UNUSED',
      severity: 'info',
      message: `${unused.join(', ')} ${unused.length === 1 ? 'does' : 'do'} not block this plan: the override is not recorded.`,
      hint: 'Leave it out, so that it covers nothing that comes later.',
    },
  ];
}
