/** What a plan says beforehand of the way that it will go. */
import {
  type BacktrailError,
  type CodeHosts,
  type Finding,
  isFailure,
  type MergeSettings,
  type Plan,
  type PublishRule,
} from '../../model/index.ts';
import { publishRuleFor } from '../../layout/configuration/publish.ts';
import type { PlannedPublish } from '../../rollback/plan-value.ts';
import type { RequestContext, Rules } from '../context.ts';
import { hostOf } from './host.ts';
import { answeredSoon } from './shown.ts';

/** By whose rules, and on which host, a plan would be proposed. */
export interface PreviewInput {
  readonly context: RequestContext;
  readonly rules: Rules;
  readonly plan: Pick<Plan, 'owners' | 'branch' | 'files'>;
  /** It is executed in this process: what this machine lacks stands in its way. */
  readonly isHere: boolean;
  /** It goes ahead without approval. */
  readonly isBreakGlass: boolean;
}

export interface Preview {
  readonly publish: PlannedPublish;
  readonly findings: readonly Finding[];
}

/** null where it is pushed, or where there is nothing to publish. */
export async function previewWay(input: PreviewInput): Promise<Preview | null> {
  const { rules, plan, context } = input;
  const rule = publishRuleFor(rules.publish, plan.owners);
  if (rule.via === 'push' || plan.files.length === 0) return null;
  const { via, merge, method, labels } = rule;
  const [asked, { branch }] = await Promise.all([
    via === 'branch' ? null : askHost(input),
    context.git.destination(plan.branch),
  ]);
  const settings = asked === null || isFailure(asked) ? null : asked;
  const isAuto = merge === 'auto' && settings?.hasQueue !== true;
  const used = method ?? settings?.methods[0] ?? null;
  return {
    publish: { via, merge: isAuto ? 'auto' : 'manual', method: used, labels },
    findings: [
      wayFinding(rule, { into: branch, isAuto, used }),
      ...(isFailure(asked) ? [unaskedFinding(asked, input)] : []),
      ...(settings === null ? [] : settingsFindings(rule, settings, branch)),
      ...(input.isBreakGlass ? [breakGlassFinding(branch)] : []),
    ],
  };
}

function wayFinding(
  { via }: PublishRule,
  { into, isAuto, used }: { readonly into: string; readonly isAuto: boolean; readonly used: string | null },
): Finding {
  const severity = 'info';
  if (via === 'branch')
    return {
      code: 'PULL_REQUEST',
      severity,
      message: `It will be pushed as a branch of its own, beside ${into}; a person merges that.`,
    };
  const who = isAuto ? 'a worker, as soon as the host says that its rules are met' : 'a person';
  const how = used === null ? '' : ` (${used})`;
  return {
    code: 'PULL_REQUEST',
    severity,
    message: `It will be proposed as a pull request into ${into}, merged by ${who}${how}.`,
  };
}

function settingsFindings({ merge, method }: PublishRule, settings: MergeSettings, into: string): Finding[] {
  const { methods, hasQueue, requiresSignatures } = settings;
  const isAllowed = method === null ? methods.length > 0 : methods.includes(method);
  const refused = method === null ? 'allows no way to merge' : `does not allow the method ${method}`;
  const isOfSigning = method === 'rebase' && requiresSignatures === true;
  const signing = isOfSigning ? ', as it takes signed commits alone and does not sign what it rebases' : '';
  const allowed = methods.length === 0 ? '' : `; it allows ${methods.join(', ')}`;
  return [
    ...(isAllowed || hasQueue
      ? []
      : [
          {
            code: 'METHOD_REFUSED',
            severity: 'block',
            message: `The code host ${refused} into ${into}${signing}${allowed}.`,
          } as const,
        ]),
    ...(merge === 'auto' && hasQueue
      ? [
          {
            code: 'PULL_REQUEST',
            severity: 'info',
            message: `A merge queue merges into ${into}: a person adds the pull request to it, although \`merge\` is auto.`,
          } as const,
        ]
      : []),
  ];
}

/** It is no block: whoever executes it may have what is missing here. */
function unaskedFinding({ code, message, hint }: BacktrailError, { isHere }: PreviewInput): Finding {
  const isElsewhere = code === 'HOST_NOT_ALLOWED' && !isHere;
  return {
    code,
    severity: isElsewhere ? 'info' : 'warn',
    message: `The code host was not asked: ${message}${isElsewhere ? ' The worker that executes it needs it listed.' : ''}`,
    hint,
  };
}

const breakGlassFinding = (into: string): Finding => ({
  code: 'BREAK_GLASS',
  severity: 'warn',
  message: `Also under break-glass it is a proposal: ${into} takes no push here, and the rules of the host apply.`,
});

/** Milliseconds. */
const KNOWN_MS = 60_000;

type Asked = Promise<MergeSettings | BacktrailError>;

/** Of many plans that are made at once, one asks. */
const asking = new WeakMap<CodeHosts, Map<string, { readonly until: number; readonly asked: Asked }>>();

async function askHost({ context, rules, plan }: PreviewInput): Asked {
  const { hosts, clock } = context;
  const known = asking.get(hosts) ?? new Map<string, { readonly until: number; readonly asked: Asked }>();
  asking.set(hosts, known);
  const { address } = await context.git.destination(plan.branch);
  const key = JSON.stringify([address, rules.host, plan.branch]);
  const found = known.get(key);
  if (found && found.until > clock.now()) return found.asked;
  const asked = settingsOf(context, rules, plan.branch);
  known.set(key, { until: clock.now() + KNOWN_MS, asked });
  return asked;
}

async function settingsOf(context: RequestContext, rules: Rules, branch: string): Asked {
  try {
    return await answeredSoon(hostOf(context, rules, branch).then(({ host, into }) => host.settings(into)));
  } catch (error) {
    if (isFailure(error)) return error;
    throw error;
  }
}
