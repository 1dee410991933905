import {
  type Approval,
  type Destination,
  type Finding,
  type RequestView,
  type RevisionDetails,
  type RevisionRef,
  type RollbackPlan,
  type RollbackResult,
} from '../../engine/index.ts';
import { count, printChanges, printFile } from './changes.ts';
import { oneLine } from '../terminal/clean.ts';
import { proposedLines } from './pull-request.ts';
import { approvalText } from './approval.ts';
import { destinationText } from './destination.ts';
import { cut, minute, revisionName, short, shortDigest, type Style } from './style.ts';
import { beside } from './table.ts';

/** The plan as scripts read it: what people alone see is left out, and what a person may do. */
export function planValue(plan: RollbackPlan): object {
  return Object.fromEntries(Object.entries(plan).filter(([key]) => key !== 'gate' && key !== 'revisions'));
}

export function planText(style: Style, plan: RollbackPlan): string {
  const { scope, mode, destination, impact, changes, manifests, digest, revisions } = plan;
  const target = { commit: plan.target, version: plan.targetVersion };
  const current = { commit: plan.current, version: plan.currentVersion };
  const kind = plan.resumes ? 'Resume' : 'Rollback';
  const lines = [
    `${style.paint('bold', `${kind} of ${scope}`)} (${mode}) on ${style.paint('cyan', plan.branch)}`,
    ...(plan.resumes ? [] : revisionLines(style, { target, current }, revisions)),
    ...(destination
      ? [`  ${plan.publish ? 'proposed for' : 'published to'} ${destinationText(destination)}`]
      : []),
    '',
    ...printFindings(style, plan.findings),
  ];
  if (plan.unchanged) return lines.join('\n');
  const touched = [count(impact.files, 'file'), count(impact.fields, 'field')];
  if (impact.bindings.length > 0) touched.push(count(impact.bindings.length, 'binding'));
  if (impact.variables.length > 0)
    touched.push(count(impact.variables.length, 'file').replace('file', 'variables file'));
  lines.push(...printChanges(style, changes), '');
  lines.push(
    `Impact: ${impact.services.length > 0 ? `${style.paint('reset', impact.services.join(', '))}; ` : ''}${touched.join(', ')}`,
  );
  if (manifests.length > 0) {
    lines.push(
      '',
      style.paint('bold', 'Manifests'),
      ...manifests.flatMap((file) => printFile(style, file)).map((line) => `  ${line}`),
    );
  }
  lines.push('', style.paint('dim', `digest ${shortDigest(style, digest)}`));
  return lines.join('\n');
}

/** What is there now, and what it goes back to, each with when, by whom and why, where that is known. */
function revisionLines(
  style: Style,
  { target, current }: Readonly<Record<'target' | 'current', RevisionRef>>,
  known: RollbackPlan['revisions'],
): string[] {
  const names = [revisionName(current), revisionName(target)] as const;
  if (known?.current === undefined && known?.target === undefined)
    return [`  from ${names[0]} to ${style.paint('bold', names[1])}`];
  const width = Math.max(...names.map(({ length }) => length));
  const line = (word: string, name: string, revision: RevisionDetails | undefined) => {
    const said = revision
      ? [minute(revision.time), oneLine(revision.author.name), cut(oneLine(revision.subject), 72)].join('  ')
      : '';
    const bold = word === 'to' ? style.paint('bold', name) : name;
    const label = `  ${word.padEnd(4)} ${bold}${' '.repeat(width - name.length)}`;
    return beside(style, label, style.paint('dim', said)).trimEnd();
  };
  return [line('from', names[0], known.current), line('to', names[1], known.target)];
}

const SIGN = { block: '✖', warn: '!', info: 'i' } as const;
const COLOR = { block: 'red', warn: 'yellow', info: 'blue' } as const;

/** What is found of several plans in the same words is printed once, with how often it was. */
export function printFindings(style: Style, findings: readonly Finding[]): string[] {
  const times = new Map<string, number>();
  for (const { severity, code, message, hint, overridden } of findings) {
    const sign = `${SIGN[severity]} ${code}${overridden ? ' (overridden)' : ''}`;
    const lines = [
      `${style.paint(COLOR[severity], sign)} ${style.paint('reset', oneLine(message))}`,
      ...(hint === undefined ? [] : [`    ${style.paint('dim', oneLine(hint))}`]),
    ].join('\n');
    times.set(lines, (times.get(lines) ?? 0) + 1);
  }
  const blocks = [...times].map(([lines, count]) =>
    count === 1 ? lines : lines.replace(/(?=\n|$)/, ` (${count} times)`),
  );
  return blocks.length > 0 ? [...blocks, ''] : [];
}

/** Behind what a plan comes to, in a row of many: what is gone past, with the words of the commit. */
export const overridesOf = (plan: Pick<RollbackPlan, 'overrides'> | undefined): string =>
  plan?.overrides === undefined ? '' : `; overrides ${plan.overrides.join(', ')}`;

export interface ResultDetails {
  readonly destination?: Destination;
  readonly approval?: Approval;
  readonly breakGlass?: NonNullable<RequestView['breakGlass']>;
  readonly supersedes?: string;
  /** It is a resume: the files of the holds that it lifts, where they are known. */
  readonly resumes?: readonly string[];
}

/** `reported`: findings that stood in the plan. */
export function resultText(
  style: Style,
  result: RollbackResult,
  reported: readonly Finding[],
  { destination, approval, breakGlass, supersedes, resumes }: ResultDetails = {},
): string {
  const news = result.findings.filter(({ message }) => !reported.some((other) => other.message === message));
  const { status, scope, mode, target, commit, deliveryCommit, requestId } = result;
  const color =
    status === 'failed' ? 'red' : status === 'completed' || status === 'unchanged' ? 'green' : 'yellow';
  return [
    ...printFindings(style, news),
    `${style.paint([color, 'bold'], status)} ${resumes ? 'resume' : 'rollback'} of ${style.paint('reset', scope)} (${mode})${resumes ? '' : ` to ${short(target)}`}`,
    `  request   ${requestId}`,
    ...(commit === null ? [] : [`  commit    ${commit}`]),
    ...(commit === null || destination === undefined || status === 'proposed'
      ? []
      : [`  branch    ${destinationText(destination)}`]),
    ...(deliveryCommit === null ? [] : [`  delivery  ${deliveryCommit}`]),
    ...(status === 'proposed' ? proposedLines(style, result) : []),
    ...(status === 'unchanged' ? ['  The scope already holds what it held at the target.'] : []),
    ...(breakGlass === undefined
      ? []
      : [
          `  ${style.paint(['red', 'bold'], 'BREAK-GLASS')} session ${breakGlass.session}; another person reviews it with`,
          `            backtrail break-glass review ${requestId} --comment TEXT`,
        ]),
    ...(approval === undefined
      ? []
      : [
          `  approval  ${style.paint('reset', approvalText(approval))}`,
          `            backtrail request approve ${requestId}`,
        ]),
    ...(supersedes === undefined
      ? []
      : [`  takes the place of ${supersedes}, which is no longer open for review`]),
  ].join('\n');
}
