/** Records of deployments as people read them. */
import { authenticationText } from './requests.ts';
import type { DeploymentPage, DeploymentStatus, DeploymentView } from '../../engine/index.ts';
import { oneLine } from '../terminal/clean.ts';
import { printFindings } from './plan.ts';
import { minute, revisionName, shortDigest, type Style } from './style.ts';
import { type Column, table } from './table.ts';

const COLORS: Readonly<Record<DeploymentStatus, 'yellow' | 'green' | 'red' | 'dim'>> = {
  proposed: 'yellow',
  pending: 'yellow',
  deployed: 'green',
  failed: 'red',
  superseded: 'dim',
  rolled_back: 'red',
  decommissioned: 'dim',
};

const COLUMNS: readonly Column[] = [
  { head: 'deployment' },
  { head: 'status' },
  { head: 'scope', wrap: true },
  { head: 'revision', drop: 2 },
  { head: 'images', wrap: true, drop: 1 },
  { head: 'by', drop: 4 },
  { head: 'since (UTC)', drop: 3 },
];

export function deploymentsText(
  style: Style,
  { deployments, findings, next }: DeploymentPage & { readonly next: string | null },
): string {
  const notes = printFindings(style, findings);
  if (deployments.length === 0) return ['No deployment is recorded.', ...notes].join('\n');
  const rows = table(
    style,
    COLUMNS,
    deployments.map((deployment) => row(style, deployment)),
  );
  const more = next === null ? [] : [style.paint('dim', `There are more: --after ${next}`)];
  return [rows, ...more, ...notes].join('\n');
}

function row(style: Style, deployment: DeploymentView): string[] {
  const { id, status, scope, images, actor, updatedAt, verified } = deployment;
  const mark = verified ? '' : ` ${style.paint('red', '(unverified)')}`;
  const names = images.map((image) => image.split('/').at(-1) ?? image);
  const shown = names.length > 2 ? `${names.slice(0, 2).join(', ')}, …` : names.join(', ');
  return [
    style.paint('bold', id),
    style.paint(COLORS[status], status) + mark,
    style.paint('reset', scope),
    revisionName(deployment),
    style.paint('reset', shortDigest(style, shown)),
    style.paint('reset', actor.email),
    minute(updatedAt),
  ];
}

export function deploymentText(style: Style, deployment: DeploymentView): string {
  const { id, status, scope, verified, notes } = deployment;
  const mark = verified ? [] : [style.paint('red', 'unverified: it counts for nothing here')];
  return [
    [style.paint('bold', id), style.paint([COLORS[status], 'bold'], status), ...mark].join('  '),
    `${style.paint('reset', scope)} at ${revisionName(deployment)}`,
    ...factsOf(deployment).map(
      ([name, text]) => `  ${name.padEnd(11)} ${style.paint('reset', oneLine(text))}`,
    ),
    ...notes.map(
      ({ at, actor, authenticated, text }) =>
        `  ${style.paint('dim', minute(at))} ${style.paint('reset', `${actor.email}${authenticationText(authenticated)}: ${oneLine(text)}`)}`,
    ),
  ].join('\n');
}

const automaticText = ({ automatic }: DeploymentView) =>
  automatic && (automatic.request ?? `not rolled back by itself: ${automatic.refused ?? ''}`);

function factsOf(deployment: DeploymentView): [string, string][] {
  const { images, charts, actor, authenticated, source, migration, times, rollbackOf, requestId } =
    deployment;
  const { rolledBackBy, supersededBy } = deployment;
  const facts: [string, string | null][] = [
    ['by', `${actor.name} <${actor.email}>${authenticationText(authenticated)} (${source})`],
    ['status', deployment.statusSource === 'observer' ? `${deployment.status}, by an observer` : null],
    ['automatic', automaticText(deployment)],
    ['images', images.join(', ')],
    ['charts', charts.join(', ')],
    [
      'times',
      Object.entries(times)
        .map(([status, at]) => `${status} ${minute(at)}`)
        .join(', '),
    ],
    ['rollback', rollbackOf && `to ${revisionName(rollbackOf)}, ${requestId ?? ''}`],
    ['replaced by', rolledBackBy ?? supersededBy],
    ['migration', migration],
  ];
  return facts.flatMap(([name, text]) => (text === null || text === '' ? [] : [[name, text]]));
}

export function existsText(
  style: Style,
  {
    image,
    exists,
    deployments,
    findings,
  }: DeploymentPage & { readonly image: string; readonly exists: boolean },
): string {
  if (exists) return deploymentsText(style, { deployments, findings, next: null });
  const some = deployments.length === 0 ? 'No deployment' : 'No deployment that counts';
  return [
    `${some} of ${style.paint('reset', oneLine(image))} is recorded.`,
    ...printFindings(style, findings),
  ].join('\n');
}
