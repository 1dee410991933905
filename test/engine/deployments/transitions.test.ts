/** The table of a deployment's statuses, and that no line of events leaves it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEPLOYMENT_STATUSES, type DeploymentEvent } from '../../../engine/model/index.ts';
import {
  DEPLOYMENT_TRANSITIONS,
  FIRST_STATUSES,
  foldDeployment,
} from '../../../engine/record/deployment-transitions.ts';

const opening = {
  environment: 'prod',
  commit: '0'.repeat(40),
  version: 1,
  images: [],
  charts: [],
  source: 'pipeline',
  rollback: null,
} as const;
const event = (status: DeploymentEvent['status'], opens: boolean): DeploymentEvent => ({
  id: 'evt-00000000000000000000000000',
  at: '2026-11-01T00:00:00Z',
  actor: { name: 'x', email: 'x@example.com' },
  deployment: 'dep-00000000000000000000000000',
  status,
  opening: opens ? opening : null,
  note: null,
  migration: null,
  images: [],
  by: null,
});
const anyEvent = fc
  .tuple(fc.constantFrom(...DEPLOYMENT_STATUSES), fc.boolean())
  .map(([status, opens]) => event(status, opens));

describe('statuses of a deployment', () => {
  it('follow each other as the table says, whatever events there are', () => {
    const isAllowed = (events: readonly DeploymentEvent[]) => {
      const states = events.map((_, index) => foldDeployment(events.slice(0, index + 1))?.status ?? null);
      return states.every((status, index) => {
        const before = states[index - 1] ?? null;
        if (before === null) return status === null || FIRST_STATUSES.includes(status);
        return status === before || (status !== null && DEPLOYMENT_TRANSITIONS[before].includes(status));
      });
    };
    expect(() => fc.assert(fc.property(fc.array(anyEvent, { maxLength: 12 }), isAllowed))).not.toThrow();
  });

  it('are those of docs/deployments.md', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/deployments.md'), 'utf8');
    const table = /\| from \| to \|\n\|---\|---\|\n((?:\|.*\n)+)/.exec(page)?.[1] ?? '';
    const words = (text: string) => [...text.matchAll(/`(\w+)`/g)].map(([, word = '']) => word);
    const rows = table
      .trimEnd()
      .split('\n')
      .map((row) => row.split('|').slice(1, 3));
    const documented = rows.map(([from = '', to = '']) => [words(from)[0] ?? '', words(to)]);
    const built = Object.entries(DEPLOYMENT_TRANSITIONS).filter(([, next]) => next.length > 0);
    expect(documented).toEqual([['', FIRST_STATUSES], ...built]);
  });
});
