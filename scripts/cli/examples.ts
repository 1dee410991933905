/** What docs/cli.md says of each command besides its help: an example, and how it can end. */
import type { FAILURES } from '../../engine/index.ts';

type Exit = 0 | (typeof FAILURES)[keyof typeof FAILURES]['exit'];

export interface CommandNotes {
  readonly example: string;
  readonly exits: readonly Exit[];
}

const READS: readonly Exit[] = [0, 1, 2, 3, 6];
const PUBLISHES: readonly Exit[] = [0, 1, 2, 3, 4, 5, 6];
const RECORDS: readonly Exit[] = [0, 1, 2, 3, 4, 6];

export const NOTES: Readonly<Record<string, CommandNotes>> = {
  init: { example: 'backtrail init --environments production,staging', exits: RECORDS },
  environments: { example: 'backtrail environments -o json', exits: READS },
  history: { example: 'backtrail history acme/production/api-gateway --limit 5', exits: READS },
  show: { example: 'backtrail show acme/production/api-gateway v12', exits: READS },
  compare: { example: 'backtrail compare acme/production/api-gateway v11 v12', exits: READS },
  rehearse: { example: 'backtrail rehearse --all', exits: READS },
  plan: { example: 'backtrail plan acme/production/api-gateway --to v12', exits: READS },
  rollback: {
    example: 'backtrail rollback acme/production/api-gateway --to v12 --reason "v2.1.0 answers 500"',
    exits: PUBLISHES,
  },
  resume: {
    example: 'backtrail resume acme/production/api-gateway --reason "Fixed in v2.1.1"',
    exits: PUBLISHES,
  },
  holds: { example: 'backtrail holds acme/production -o json', exits: READS },
  guard: { example: 'backtrail guard --base origin/main --head HEAD', exits: [0, 1, 2, 3] },
  incident: { example: 'backtrail incident incident.yaml --yes', exits: PUBLISHES },
  status: {
    example: 'backtrail status acme/production/api-gateway --wait 10m',
    exits: [0, 1, 2, 3, 5, 6],
  },
  drift: { example: 'backtrail drift acme/production -o json', exits: READS },
  log: { example: 'backtrail log acme/production --limit 10', exits: READS },
  'deployment record': {
    example: 'backtrail deployment record acme/production/api-gateway --status deployed --commit HEAD',
    exits: RECORDS,
  },
  'deployment list': { example: 'backtrail deployment list acme/production --status failed', exits: READS },
  'deployment show': { example: 'backtrail deployment show 7Q2M9K', exits: READS },
  'deployment exists': {
    example: 'backtrail deployment exists --image api-gateway:v2.1.0 -o json',
    exits: READS,
  },
  'deployment restore': {
    example: 'backtrail deployment restore 7Q2M9K --reason "v2.1.0 answers 500"',
    exits: PUBLISHES,
  },
  reconcile: { example: 'backtrail --repo ssh://git.example.com/config.git reconcile', exits: RECORDS },
  'request list': { example: 'backtrail request list acme/production --status pending', exits: READS },
  'request show': { example: 'backtrail request show 7Q2M9K', exits: READS },
  'request plan': { example: 'backtrail request plan 7Q2M9K', exits: READS },
  'request approve': {
    example: 'backtrail request approve 7Q2M9K --comment "v2.0.5 served well for a week"',
    exits: PUBLISHES,
  },
  'request retry': { example: 'backtrail request retry 7Q2M9K --to v11', exits: PUBLISHES },
  'request reject': {
    example: 'backtrail request reject 7Q2M9K --comment "The cause is in the database"',
    exits: RECORDS,
  },
  'request cancel': { example: 'backtrail request cancel 7Q2M9K --reason "Fixed forward"', exits: RECORDS },
  'request note': {
    example: 'backtrail request note 7Q2M9K "Caused by the rename of a header"',
    exits: RECORDS,
  },
  serve: { example: 'backtrail serve --listen 127.0.0.1:4180 --worker', exits: [0, 1, 2, 3, 6] },
  mcp: {
    example: 'backtrail --repo ssh://git.example.com/config.git mcp --read-only',
    exits: [0, 1, 2, 3, 6],
  },
  'token create': {
    example: 'backtrail token create --person jane@example.com --scope propose --expires 30d',
    exits: [0, 1, 2, 6],
  },
  'token list': { example: 'backtrail token list -o json', exits: [0, 1, 2] },
  'token revoke': { example: 'backtrail token revoke 8k3m0q9xw2c4v7t1', exits: [0, 1, 2, 6] },
  'break-glass open': {
    example:
      'backtrail break-glass open acme/production --reason "Payments are down" --ticket INC-2041 --for 30m',
    exits: RECORDS,
  },
  'break-glass close': { example: 'backtrail break-glass close bg-01JD2M7Q2M9K', exits: RECORDS },
  'break-glass list': { example: 'backtrail break-glass list', exits: READS },
  'break-glass review': {
    example: 'backtrail break-glass review 7Q2M9K --comment "Right decision; root cause is noted"',
    exits: RECORDS,
  },
  'audit verify': { example: 'backtrail audit verify v1.4.0.. acme/production', exits: [0, 1, 2, 3, 6] },
  'audit export': {
    example: 'backtrail audit export --from 2026-11-01 --to 2026-11-30 --script verify.sh > november.json',
    exits: READS,
  },
  'audit log': { example: 'backtrail audit log acme/production --since 7d', exits: READS },
  worker: { example: 'backtrail worker --concurrency 4 --name eu-1', exits: [0, 1, 2, 3, 6] },
  doctor: { example: 'backtrail doctor', exits: [0, 1, 2, 3] },
  completion: { example: 'backtrail completion bash', exits: [0, 1, 2] },
};
