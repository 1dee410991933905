/** How far a plan reaches, as one sentence. */
import type { GatedPlan } from '../contract.ts';
import { revisionName } from './revision-name.ts';

type Counted = Pick<
  GatedPlan,
  'changes' | 'findings' | 'impact' | 'manifests' | 'target' | 'targetVersion' | 'unchanged'
>;

/** `To v2: 1 service, 2 files, 5 fields; removes 1 file.` */
export function sentenceOf(plan: Counted, isOffer = false): string {
  const { impact, manifests, unchanged } = plan;
  const to = revisionName(plan);
  if (unchanged) return `To ${to}: nothing would change.`;
  if (isOffer)
    return `To ${to}: ${counted(impact.fields, 'field')} can be chosen, and as many go back as you tick.`;
  const touched = [
    counted(impact.services.length, 'service'),
    counted(impact.files, 'file'),
    counted(impact.fields, 'field'),
    ...(manifests.length > 0 ? [counted(manifests.length, 'manifest')] : []),
  ];
  return `To ${to}: ${touched.join(', ')}; ${removalOf(plan)}.${isBlocked(plan) ? ' A check blocks it.' : ''}`;
}

function removalOf({ changes, findings }: Counted): string {
  const files = changes.flatMap((change) => change.files);
  const gone = files.filter(({ change }) => change === 'removed').length;
  const fields = files
    .filter(({ change }) => change !== 'removed')
    .flatMap((file) => file.fields ?? [])
    .filter(({ op }) => op === 'remove').length;
  const all = [
    ...(gone > 0 ? [counted(gone, 'file')] : []),
    ...(fields > 0 ? [counted(fields, 'field')] : []),
  ];
  if (all.length > 0) return `removes ${all.join(' and ')}`;
  const lacks = findings.some(({ remedy }) => remedy === 'allow-removal');
  return lacks ? 'some of it did not exist then, and is removed only if you say so' : 'removes nothing';
}

const isBlocked = ({ findings }: Counted) =>
  findings.some(({ severity, overridden }) => severity === 'block' && overridden !== true);

export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
