/** What `npm run tour:api` asks about an incident: many scopes looked at, asked for, and decided on at once. */
import type { Step } from './step.ts';

const INCIDENTS = '/api/v1/incidents';
const ONE = `${INCIDENTS}/inc-4712`;
const INCIDENT = { id: 'inc-4712', reason: 'Since the release of noon', onFailure: 'continue' };

export const INCIDENT_STEPS: readonly Step[] = [
  {
    title: 'Many at once',
    text: 'What an incident would do: patterns are resolved, each row has its plan, and nothing is asked for.',
    who: 'JANE',
    method: 'POST',
    path: `${INCIDENTS}?dryRun=true`,
    body: { ...INCIDENT, rollbacks: [{ scope: 'acme/production/b*' }, { scope: 'acme/production/web' }] },
    status: 200,
    keep: { BILLING: 'rollbacks.0.plan.digest', WEB: 'rollbacks.1.plan.digest' },
    show: [
      'rollbacks.0.scope',
      'rollbacks.0.plan.currentVersion',
      'rollbacks.0.plan.targetVersion',
      'rollbacks.0.plan.digest',
      'rollbacks.0.plan.gate',
    ],
    holds: { 'rollbacks.0.scope': 'acme/production/billing', 'rollbacks.0.status': 'not started' },
  },
  {
    text: 'Ask for those plans, and for no other.',
    who: 'JANE',
    method: 'POST',
    path: INCIDENTS,
    headers: { 'Idempotency-Key': 'inc-4712' },
    body: {
      ...INCIDENT,
      rollbacks: [
        { scope: 'acme/production/billing', digest: '$BILLING' },
        { scope: 'acme/production/web', digest: '$WEB' },
      ],
    },
    status: 201,
    show: ['rollbacks.0.scope', 'rollbacks.0.status', 'rollbacks.1.scope', 'rollbacks.1.status'],
    holds: { 'rollbacks.0.status': 'pending', 'rollbacks.1.status': 'pending' },
  },
  {
    text: 'Another person looks at all of them …',
    who: 'BOB',
    path: `${ONE}/plans`,
    status: 200,
    keep: {
      FIRST: 'rollbacks.0.requestId',
      ONE: 'rollbacks.0.digest',
      OTHER: 'rollbacks.1.requestId',
      TWO: 'rollbacks.1.digest',
    },
    show: ['rollbacks.0.scope', 'rollbacks.0.author', 'rollbacks.0.plan.impact', 'rollbacks.0.may.approve'],
    holds: { 'rollbacks.0.may.approve.allowed': true, 'rollbacks.1.may.approve.allowed': true },
  },
  {
    text: '… and approves them in one signed commit, each for the plan that was looked at.',
    who: 'BOB',
    method: 'POST',
    path: `${ONE}/approve`,
    body: {
      votes: [
        { id: '$FIRST', digest: '$ONE' },
        { id: '$OTHER', digest: '$TWO' },
      ],
      comment: 'Both were fine yesterday',
    },
    status: 200,
    show: ['rollbacks.0.scope', 'rollbacks.0.voted', 'rollbacks.0.status', 'rollbacks.1.status'],
    holds: { 'rollbacks.0.status': 'completed', 'rollbacks.1.status': 'completed' },
  },
  {
    text: 'How far it is, in a short row for each request.',
    who: 'JANE',
    path: ONE,
    status: 200,
    show: ['asked', 'rollbacks.0.scope', 'rollbacks.0.status', 'rollbacks.0.commit'],
  },
];
