import {
  type Approval,
  type Destination,
  type Finding,
  formatCoordinates,
  type Planned,
  type RequestView,
  type RollbackResult,
} from '../../engine/index.ts';
import { printChanges, printFile } from './changes.ts';
import { oneLine } from '../output.ts';
import { approvalText } from './approval.ts';
import { destinationText } from './destination.ts';
import { revisionName, short, type Style } from './style.ts';

/** The plan as scripts read it: no bytes of files, nothing unmasked. */
export function planValue({ plan, delivery, destination }: Planned) {
  const { scope, branch, base, target, current, digest, files, changes, kept, impact, findings } = plan;
  return {
    mode: scope.mode,
    scope: formatCoordinates(scope),
    ...(scope.tenant !== undefined && { tenant: scope.tenant }),
    environment: scope.environment,
    ...(scope.service !== undefined && { service: scope.service }),
    ...(scope.fields && { fields: scope.fields }),
    ...(scope.wholeFile && { wholeFiles: plan.wholeFiles }),
    ...(plan.owners.length > 1 && { owners: plan.owners.map(formatCoordinates) }),
    branch,
    ...(destination && { destination }),
    base,
    target: target.commit,
    targetVersion: target.version,
    current: current.commit,
    currentVersion: current.version,
    digest,
    unchanged: files.length === 0,
    changes,
    manifests: delivery.differences,
    kept,
    impact,
    findings,
  };
}

export function planText(style: Style, { plan, delivery, destination }: Planned): string {
  const { scope, target, current, impact, changes, digest } = plan;
  const lines = [
    `${style.paint('bold', `Rollback of ${formatCoordinates(scope)}`)} (${scope.mode}) on ${style.paint('cyan', plan.branch)}`,
    `  from ${revisionName(current)} to ${style.paint('bold', revisionName(target))}`,
    ...(destination ? [`  published to ${destinationText(destination)}`] : []),
    '',
    ...printFindings(style, plan.findings),
  ];
  if (plan.files.length === 0) return lines.join('\n');
  const touched = [count(impact.files, 'file'), count(impact.fields, 'field')];
  if (impact.bindings.length > 0) touched.push(count(impact.bindings.length, 'binding'));
  if (impact.variables.length > 0)
    touched.push(count(impact.variables.length, 'file').replace('file', 'variables file'));
  lines.push(...printChanges(style, changes), '');
  lines.push(
    `Impact: ${impact.services.length > 0 ? `${style.paint('reset', impact.services.join(', '))}; ` : ''}${touched.join(', ')}`,
  );
  if (delivery.differences.length > 0) {
    lines.push(
      '',
      style.paint('bold', 'Manifests'),
      ...delivery.differences.flatMap((file) => printFile(style, file)).map((line) => `  ${line}`),
    );
  }
  lines.push('', style.paint('dim', `digest ${digest}`));
  return lines.join('\n');
}

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`;

const SIGN = { block: '✖', warn: '!', info: 'i' } as const;
const COLOR = { block: 'red', warn: 'yellow', info: 'blue' } as const;

export function printFindings(style: Style, findings: readonly Finding[]): string[] {
  const lines = findings.flatMap(({ severity, code, message, hint }) => [
    `${style.paint(COLOR[severity], `${SIGN[severity]} ${code}`)} ${style.paint('reset', oneLine(message))}`,
    ...(hint === undefined ? [] : [`    ${style.paint('dim', oneLine(hint))}`]),
  ]);
  return lines.length > 0 ? [...lines, ''] : [];
}

export interface ResultDetails {
  readonly destination?: Destination;
  readonly approval?: Approval;
  readonly breakGlass?: NonNullable<RequestView['breakGlass']>;
  readonly supersedes?: string;
}

/** `told`: findings that stood in the plan. */
export function resultText(
  style: Style,
  result: RollbackResult,
  told: readonly Finding[],
  { destination, approval, breakGlass, supersedes }: ResultDetails = {},
): string {
  const news = result.findings.filter(({ message }) => !told.some((other) => other.message === message));
  const { status, scope, mode, target, commit, deliveryCommit, requestId } = result;
  const color =
    status === 'failed' ? 'red' : status === 'completed' || status === 'unchanged' ? 'green' : 'yellow';
  return [
    ...printFindings(style, news),
    `${style.paint([color, 'bold'], status)} rollback of ${style.paint('reset', scope)} (${mode}) to ${short(target)}`,
    `  request   ${requestId}`,
    ...(commit === null ? [] : [`  commit    ${commit}`]),
    ...(commit === null || destination === undefined ? [] : [`  branch    ${destinationText(destination)}`]),
    ...(deliveryCommit === null ? [] : [`  delivery  ${deliveryCommit}`]),
    ...(status === 'unchanged' ? ['  The scope already holds what it held at the target.'] : []),
    ...(breakGlass === undefined
      ? []
      : [
          `  ${style.paint(['red', 'bold'], 'BREAK-GLASS')} session ${breakGlass.session}; somebody else reviews it with`,
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
      : [`  takes the place of ${supersedes}, which nobody is asked about any more`]),
  ].join('\n');
}
