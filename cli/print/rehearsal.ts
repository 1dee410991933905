import type { BacktrailError, FailureCode, Finding, GatedPlan } from '../../engine/index.ts';
import { printFindings } from './plan.ts';
import { revisionName, type Style } from './style.ts';
import { table } from './table.ts';

/** A rollback that was tried; `error` where there is no plan. */
export interface Rehearsal {
  readonly scope: string;
  readonly plan?: GatedPlan;
  readonly error?: BacktrailError;
  readonly ms: number;
}

/** What a person is not allowed to do says nothing of the rollback: another one may. */
const PERSONAL: ReadonlySet<FailureCode> = new Set(['PERMISSION_DENIED', 'IDENTITY_UNVERIFIED']);

/** Codes of what would stop it. */
function stops({ plan, error }: Rehearsal): string[] {
  if (error) return [error.code];
  if (!plan) return [];
  const { request } = plan.gate.may;
  const blocked = plan.findings.filter(({ severity }) => severity === 'block').map(({ code }) => code);
  const gate = request.allowed || PERSONAL.has(request.code) || blocked.length > 0 ? [] : [request.code];
  return [...new Set([...blocked, ...gate])];
}

export const exitCodeOf = (rehearsals: readonly Rehearsal[]) =>
  rehearsals.some((each) => stops(each).length > 0) ? 3 : 0;

const statusOf = (each: Rehearsal) =>
  stops(each).length > 0 ? 'blocked' : each.plan?.unchanged ? 'unchanged' : 'ready';

export function rehearsalValue(rehearsals: readonly Rehearsal[]) {
  return {
    rehearsals: rehearsals.map((each) => {
      const { scope, plan, error, ms } = each;
      const status = statusOf(each);
      const blockedBy = stops(each);
      if (!plan)
        return {
          scope,
          status,
          blockedBy,
          error: error && { code: error.code, message: error.message, hint: error.hint },
          ms,
        };
      const { needsApproval, quorum, approvers, may } = plan.gate;
      return {
        scope,
        status,
        blockedBy,
        target: plan.target,
        targetVersion: plan.targetVersion,
        current: plan.current,
        currentVersion: plan.currentVersion,
        digest: plan.digest,
        findings: plan.findings,
        approval: { needed: needsApproval, quorum, approvers },
        may,
        push: { allowed: !plan.findings.some(({ code }) => code === 'PUSH_DENIED') },
        ms,
      };
    }),
  };
}

export function rehearsalText(style: Style, rehearsals: readonly Rehearsal[]): string {
  if (rehearsals.length === 0) return 'The layout finds no environment in this repository.';
  const rows = rehearsals.map((each) => [
    each.scope,
    each.plan ? revisionName({ commit: each.plan.target, version: each.plan.targetVersion }) : '–',
    paintStatus(style, each),
    approvalOf(each),
    each.plan === undefined ? '–' : isPushDenied(each.plan.findings) ? 'denied' : 'allowed',
    `${(each.ms / 1000).toFixed(1)} s`,
  ]);
  const heads = ['SCOPE', 'TO', 'STATUS', 'APPROVALS', 'PUSH', 'TOOK'];
  const drops = [undefined, undefined, undefined, 1, 1, 2];
  const columns = heads.map((head, at) => {
    const drop = drops[at];
    return { head, wrap: head === 'APPROVALS', ...(drop !== undefined && { drop }) };
  });
  const details = rehearsals.flatMap((each) => detailsOf(style, each));
  return [table(style, columns, rows), ...(details.length > 0 ? ['', ...details] : [])].join('\n');
}

const isPushDenied = (findings: readonly Finding[]) => findings.some(({ code }) => code === 'PUSH_DENIED');

function paintStatus(style: Style, each: Rehearsal): string {
  const codes = stops(each);
  if (codes.length === 0) return statusOf(each);
  return style.paint('red', `blocked: ${codes.join(', ')}`);
}

function approvalOf({ plan }: Rehearsal): string {
  if (!plan) return '–';
  const { needsApproval, quorum, approvers } = plan.gate;
  if (!needsApproval) return 'none';
  return `${quorum} of ${approvers.length === 0 ? 'everybody' : approvers.join(', ')}`;
}

/** Of what is blocked: why, and what to do next. */
function detailsOf(style: Style, each: Rehearsal): string[] {
  const { scope, plan, error } = each;
  if (stops(each).length === 0) return [];
  const head = style.paint('bold', scope);
  if (error) return [head, `  ${error.message}`, ...(error.hint ? [`  ${error.hint}`] : [])];
  if (!plan) return [];
  const { request } = plan.gate.may;
  const blocking = plan.findings.filter(({ severity }) => severity === 'block');
  if (blocking.length > 0 || request.allowed) return [head, ...printFindings(style, blocking)];
  return [head, `  ${request.message}`, `  ${request.hint}`];
}
