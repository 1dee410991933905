/** What an incident asks for: several scopes back to known-good revisions. */
import * as z from 'zod';
import { isIncidentId, requireReason } from '../../engine/index.ts';

// What a schema of JSON can say of it stands beside it.
const text = z.string().trim().min(1).max(1000).meta({ pattern: String.raw`\S` });
const UNSEEN = String.raw`\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}`;
const ID = { pattern: String.raw`^[^${UNSEEN}]*[^\s${UNSEEN}][^${UNSEEN}]*$`, maxLength: 200 };
const DIGEST = /^sha256:[0-9a-f]{64}$/;
/** Rollbacks; with those that patterns stand for, too. */
export const MOST = 5000;
const READABLE = String.raw`[\p{L}\p{N}\p{P}\p{S}]`;
/** Of the plan, and of the manifests, that were looked at: another one is not asked for. */
const digest = z.string().regex(DIGEST, 'is `sha256:` and 64 digits');
export const incidentSchema = z.strictObject({
  id: text.refine(isIncidentId, 'has more than 200 characters, or some that cannot be seen').meta(ID),
  reason: text.refine(isReason, 'nothing readable is left of the reason').meta({ pattern: READABLE }),
  repo: text.optional(),
  config: z.undefined('a configuration has to be on the branch, as workers know no other').optional(),
  atomic: z.boolean().default(false),
  hold: z.boolean().optional(),
  holdFor: text.optional(),
  onFailure: z.enum(['continue', 'stop']).default('stop'),
  rollbacks: z
    .array(
      z.strictObject({
        scope: text,
        to: text.default('previous'),
        fields: z.array(text).max(100).default([]),
        allowRemoval: z.boolean().default(false),
        wholeFile: z.boolean().default(false),
        override: z.array(text).max(50).default([]),
        hold: z.boolean().optional(),
        holdFor: text.optional(),
        digest: digest.optional(),
        rendered: digest.nullish(),
      }),
    )
    .min(1)
    .max(MOST),
});

export type Incident = z.infer<typeof incidentSchema>;
export type RollbackInput = Incident['rollbacks'][number];

/** What the file says of holds is for the rollbacks that say nothing. */
export function withHolds(incident: Incident): Incident {
  const { hold, holdFor } = incident;
  const common = { ...(hold !== undefined && { hold }), ...(holdFor !== undefined && { holdFor }) };
  const rollbacks = incident.rollbacks.map((wish) =>
    wish.hold === undefined && wish.holdFor === undefined ? { ...wish, ...common } : wish,
  );
  return { ...incident, rollbacks };
}

function isReason(reason: string): boolean {
  try {
    requireReason(reason);
    return true;
  } catch {
    return false;
  }
}
