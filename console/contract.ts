/** What the server answers with: types of its schemas, and nothing that runs. */
import type { z } from 'zod';
import type { drift, liveStatus, rollbackLive } from '../server/live/schemas.ts';
import type { auditEvents, auditReport } from '../server/schemas/audit.ts';
import type { comparison, environments, environmentView, history, shown } from '../server/schemas/history.ts';
import type { holds } from '../server/schemas/holds.ts';
import type {
  incident,
  incidentAsk,
  incidentPlans,
  incidentReviewed,
  incidentState,
} from '../server/incidents/schemas.ts';
import type { me } from '../server/schemas/me.ts';
import type { opened } from '../server/schemas/opened.ts';
import type { finding, gatedPlan, serviceDifference } from '../server/schemas/plan.ts';
import type { problem } from '../server/schemas/problem.ts';
import type { requestPlan, requests, requestView } from '../server/schemas/request.ts';
import type { sessions } from '../server/schemas/sessions.ts';

export type Environments = z.output<typeof environments>;
export type Environment = Environments['environments'][number];
export type EnvironmentView = z.output<typeof environmentView>;
export type History = z.output<typeof history>;
export type Revision = History['revisions'][number];
export type Shown = z.output<typeof shown>;
export type Comparison = z.output<typeof comparison>;
export type FileDifference = z.output<typeof serviceDifference>['files'][number];
export type FieldChange = NonNullable<FileDifference['fields']>[number];
export type Holds = z.output<typeof holds>;
export type Hold = Holds['holds'][number];
export type Finding = z.output<typeof finding>;
export type GatedPlan = z.output<typeof gatedPlan>;
export type Requests = z.output<typeof requests>;
export type RequestView = z.output<typeof requestView>;
export type RequestPlan = z.output<typeof requestPlan>;
export type RollbackLive = z.output<typeof rollbackLive>;
export type Opened = z.output<typeof opened>;
export type Sessions = z.output<typeof sessions>;
export type AuditEvents = z.output<typeof auditEvents>;
export type AuditReport = z.output<typeof auditReport>;
export type Incident = z.output<typeof incident>;
export type IncidentAsk = z.input<typeof incidentAsk>;
export type IncidentPlans = z.output<typeof incidentPlans>;
export type IncidentReviewed = z.output<typeof incidentReviewed>;
export type IncidentState = z.output<typeof incidentState>;
export type Me = z.output<typeof me>;
export type ProblemDocument = z.output<typeof problem>;
export type LiveStatus = z.output<typeof liveStatus>;
export type Drift = z.output<typeof drift>;

/** `GET /repository` */
export interface Repository {
  readonly location: string;
  readonly destination: {
    readonly remote: string | null;
    readonly address: string;
    readonly branch: string;
  };
}
