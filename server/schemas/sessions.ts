/** Break-glass sessions: as `break-glass` prints them with `-o json`. */
import { z } from 'zod';
import { openSession, sessionId } from './open-session.ts';
import { next, pageQuery } from './paging.ts';
import { finding } from './plan.ts';
import { requestView } from './request.ts';
import { scopeNames } from './scope.ts';

export const session = openSession
  .extend({
    active: z.boolean(),
    identity: z.enum(['verified', 'unverified']),
    findings: z.array(finding).optional(),
  })
  .meta({ id: 'BreakGlassSession' });

export const sessions = z
  .object({
    sessions: z.array(session).describe('The active ones first, then newest first.'),
    reviews: z.array(requestView).describe('Went ahead without approval, and wait for a review.'),
    next,
  })
  .meta({ id: 'BreakGlassSessions' });

export const sessionsQuery = z.strictObject(pageQuery(sessionId));

export const sessionAsk = z
  .strictObject({
    ...scopeNames,
    justification: z.string().max(8000).nullish().describe('Why. It becomes part of the record.'),
    ticket: z.string().min(1).max(200).nullish(),
    minutes: z.int().min(1).max(525_600).nullish().describe('As long as the policy allows, where absent.'),
  })
  .meta({ id: 'BreakGlassAsk' });

export const reviewAsk = z
  .strictObject({ comment: z.string().min(1).max(8000) })
  .meta({ id: 'BreakGlassReview' });
