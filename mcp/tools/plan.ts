/** `plan`: what a rollback would change. */
import { z } from 'zod';
import { type GatedPlan, isBlocked, type PlanAsk } from '../../engine/index.ts';
import { answer } from '../data.ts';
import {
  type AddTool,
  answering,
  counted,
  fields,
  peopleOf,
  quoted,
  READS,
  scope,
  type ToolInput,
} from './tool.ts';

const MOST_FILES = 10;
const MOST_FIELDS = 10;
const MOST_SERVICES = 20;

export const rollback = {
  scope,
  fields,
  hold: z
    .boolean()
    .optional()
    .describe('Keep automation from moving what is restored. Absent: where it shows that it would.'),
  holdFor: z.string().max(16).optional().describe('As 12h or 7d. Absent: until it is resumed.'),
};

export const addPlan: AddTool = (server, input) =>
  void server.registerTool(
    'plan',
    {
      title: 'Plan a rollback',
      description:
        'Shows what a rollback of a scope to a revision would change, and what stands in its way; writes nothing. Its `digest` and `target` are what propose_rollback is bound to.',
      inputSchema: z.strictObject({
        ...rollback,
        to: z
          .string()
          .min(1)
          .max(255)
          .default('previous')
          .describe('v12, a commit id, previous, last-successful, @2h, a tag.'),
      }),
      annotations: READS,
    },
    ({ to, ...asked }) =>
      answering(input, async () => {
        const plan = await input.engine.rollbacks.plan({ ...askOf(asked, to), ...askedBy(input) });
        return answer(sentencesOf(plan), summaryOf(input, plan, asked.fields ?? []));
      }),
  );

export function askOf(
  { scope: name, fields: named, hold, holdFor }: z.output<z.ZodObject<typeof rollback>>,
  to: string,
): PlanAsk {
  return {
    scope: name,
    to,
    ...(named && { fields: named }),
    ...(hold !== undefined && { hold }),
    ...(holdFor !== undefined && { holdFor }),
  };
}

/** Always to be decided on by a person. */
export const askedBy = ({ actor }: Pick<ToolInput, 'actor'>) =>
  ({
    author: actor,
    reader: actor,
    revisions: true,
    propose: true,
    ledger: true,
    pushTest: 'worker',
  }) as const;

function sentencesOf(plan: GatedPlan): readonly string[] {
  const { impact, digest, gate, unchanged } = plan;
  if (unchanged) return ['Nothing would change: the scope is as it was at that revision.'];
  const changes = `It would change ${counted(impact.files, 'file')} and ${counted(impact.fields, 'field')}; nothing was written.`;
  if (isBlocked(plan))
    return [
      changes,
      'It is blocked: findings of severity `block` say why. A person may be able to override them.',
    ];
  if (!gate.may.request.allowed)
    return [changes, `It cannot be proposed in this person's name (${gate.may.request.code}).`];
  const { quorum } = gate;
  return [
    changes,
    `propose_rollback asks for it with the digest ${digest}; it then waits for the approval of ${peopleOf(quorum)}.`,
  ];
}

function summaryOf({ server }: ToolInput, plan: GatedPlan, named: readonly string[]) {
  const { impact, gate, hold, revisions, manifests } = plan;
  const files = plan.changes.flatMap(({ service, files: own }) => own.map((file) => ({ service, ...file })));
  const services = impact.services;
  const selected = named.map((field) => ` --field ${quoted(field)}`).join('');
  return {
    scope: plan.scope,
    mode: plan.mode,
    target: plan.target,
    targetVersion: plan.targetVersion,
    current: plan.current,
    currentVersion: plan.currentVersion,
    digest: plan.digest,
    unchanged: plan.unchanged,
    ...(revisions && { revisions }),
    impact: {
      files: impact.files,
      fields: impact.fields,
      services: services.length,
      manifests: manifests.length,
    },
    services: services.slice(0, MOST_SERVICES),
    findings: plan.findings,
    changes: files.slice(0, MOST_FILES).map(({ fields: own = [], diff, ...file }) => ({
      ...file,
      ...(own.length > 0
        ? { fields: own.slice(0, MOST_FIELDS), allFields: own.length }
        : { ...(diff !== undefined && { diff }) }),
    })),
    ...(hold && { hold: { for: hold.for, fields: hold.fields.length } }),
    gate: { needsApproval: gate.needsApproval, quorum: gate.quorum, approvers: gate.approvers },
    seeAll: {
      files: files.length,
      command: `backtrail plan ${quoted(plan.scope)} --to ${plan.target}${selected}`,
      ...(server !== null && { call: `POST ${server}/api/v1/plans` }),
    },
  };
}
