/** What the policy asked for where a change was made, and which votes it counts. */
import {
  type EnvironmentName,
  type EventId,
  formatCoordinates,
  type ObjectId,
  type Policy,
} from '../../model/index.ts';
import type { Layout } from '../../layout/layout.ts';
import { approversOf, needsSignedRequest } from '../../policy/policy.ts';
import type { RequestFile } from '../../record/ledger-file.ts';
import { type OwnerRule, rulesAt, rulesFor, stated } from '../../requests/gate/owners.ts';
import type { Proofs } from '../../requests/ledger/proof.ts';
import { type Counts, inspectionOf, judgeRequest, proven } from '../../requests/view.ts';
import type { Audit } from '../audit.ts';
import { rulesIn, until } from '../ledger/allowed.ts';
import type { PolicyInForce } from './types.ts';

/** Where a change was made: the commit before it, and the configuration there. */
export interface Ground {
  readonly base: ObjectId;
  readonly config: ObjectId;
  readonly layout: Layout;
  /** The environments that own what it changed. */
  readonly owners: readonly EnvironmentName[];
}

export interface Ruled {
  readonly rules: readonly PolicyInForce[];
  /** Events of the votes that count. */
  readonly counted: ReadonlySet<EventId>;
  /** The review of a use of break-glass; null: none counts. */
  readonly inspection: EventId | null;
  /** Which emails are one person. */
  readonly joining: Pick<Policy, 'people'>;
}

/** `known` null: the ledger has no such request. */
export function ruledBy(
  { ledger }: Audit,
  { layout, owners }: Pick<Ground, 'layout' | 'owners'>,
  known: { readonly file: RequestFile; readonly proofs: Proofs } | null,
): Ruled {
  const { policy } = layout.config;
  if (known === null) {
    const rules = stated(rulesAt(policy, owners)).map((rule) => inForce(layout, rule));
    return { rules, counted: new Set(), inspection: null, joining: policy };
  }
  const { file, proofs } = known;
  const rules = rulesIn(ledger, layout);
  const counts: Counts = rules.knowsKeys ? proven : (proof) => proof?.signed ?? false;
  const done = file.events.findIndex(({ type }) => type === 'completed');
  const judging = { rules, owners, proofs, counts };
  const before = done < 0 ? file : until(file, Math.max(1, done));
  return {
    rules: stated(rulesFor(rules, file.state, owners)).map((rule) => inForce(layout, rule)),
    counted: new Set(judgeRequest({ ...judging, file: before })?.counted),
    inspection: inspectionOf({ ...judging, file })?.id ?? null,
    joining: policy,
  };
}

function inForce(
  { config, rules }: Layout,
  { environment, rule }: OwnerRule & { readonly rule: NonNullable<OwnerRule['rule']> },
): PolicyInForce {
  const { policy } = config;
  const isForAll = rule.approvers === null && policy.permissions.length === 0;
  const { match, quorum, selfApproval, rejections, unsignedApprovals, bind } = rule;
  return {
    environment: formatCoordinates(environment),
    match,
    quorum,
    selfApproval,
    approvers: isForAll ? null : approversOf(policy, rule, environment, []),
    rejections,
    unsignedApprovals,
    unsignedRequests: !needsSignedRequest(rule, rules),
    bind,
    ...(rule.signedBy && { signedBy: rule.signedBy }),
    breakGlass: rule.breakGlass && rule.breakGlass.longestMs / 60_000,
  };
}
