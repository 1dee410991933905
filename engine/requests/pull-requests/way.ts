/** Which way a request reaches the branch. The configuration at the tip alone decides. */
import {
  BacktrailError,
  type EnvironmentName,
  formatCoordinates,
  type LedgerRequest,
  type PublishRule,
} from '../../model/index.ts';
import { publishRuleFor } from '../../layout/configuration/publish.ts';
import type { RequestContext, Rules } from '../context.ts';
import { ownersOf } from '../gate/owners.ts';

type Publishing = Pick<Rules, 'publish'>;

/** Of everything that the request would change now. */
export async function wayOf(
  context: RequestContext,
  { publish }: Publishing,
  state: LedgerRequest,
): Promise<PublishRule> {
  return publishRuleFor(publish, publish.length === 0 ? [] : await ownersOf(context, state));
}

/**
 * Where the configuration has changed meanwhile: whoever executes it looks again.
 *
 * @throws BRANCH_MOVED
 */
export function requireWay(
  { publish }: Publishing,
  owners: readonly EnvironmentName[],
  { isPush }: { readonly isPush: boolean },
): void {
  if ((publishRuleFor(publish, owners).via === 'push') === isPush) return;
  const [owner] = owners;
  const of = owner === undefined ? '' : ` of ${formatCoordinates(owner)}`;
  throw new BacktrailError(
    'BRANCH_MOVED',
    `The configuration says otherwise by now how rollbacks${of} are published.`,
  );
}
