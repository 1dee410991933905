/** Events of deployments as files: each is written once and never again. And the message of the commit that adds them. */
import * as z from 'zod';
import {
  BacktrailError,
  type Deployment,
  DEPLOYMENT_SOURCES,
  DEPLOYMENT_STATUSES,
  type DeploymentEvent,
  formatCoordinates,
  isDeploymentId,
  isObjectId,
  isRequestId,
} from '../model/index.ts';
import { authenticated, newerForm, shardOf } from './ledger-file.ts';
import { cleanValue, indentBody } from './text.ts';

/** `deployments/2026-11/5K/dep-…/evt-….json`: sharded, so that a write changes small trees. */
export function deploymentPath({ deployment, id }: Pick<DeploymentEvent, 'deployment' | 'id'>): string {
  return `${shardOf('deployments', deployment)}/${id}.json`;
}

/** Characters of a note, and of what is said of a migration. */
export const NOTE_LIMIT = 10_000;
/** Characters of an image, and how many a record holds. */
export const IMAGE_LIMIT = 500;
export const MOST_IMAGES = 500;
/** Characters of a file. */
const FILE_LIMIT = 1024 * 1024;
/** Characters of the names of a scope. */
const NAME_LIMIT = 4096;

/** The forms of these files: 3 says that an observer gave a record its status, or what became of it by itself; 2 says how a server knew who acted, or which revision a rollback without a request returned to. Any other file keeps the form 1, so that older versions go on reading it. */
const NEWEST_FORM = 3;
function formOf({ authenticated: known, opening, source, automatic }: DeploymentEvent): 1 | 2 | 3 {
  if (source !== undefined || automatic !== undefined) return 3;
  return known === undefined && opening?.rollback?.request !== null ? 1 : 2;
}

const text = (limit: number) => z.string().max(limit);
const name = text(NAME_LIMIT).min(1);
const objectId = z.string().refine(isObjectId);
const deploymentId = z.string().refine(isDeploymentId);
const list = z.array(text(IMAGE_LIMIT)).max(MOST_IMAGES);
const version = z.number().int().positive().nullable();

const file = z.strictObject({
  version: z.int().min(1).max(NEWEST_FORM),
  event: z.strictObject({
    id: z.string().regex(/^evt-[0-9A-HJKMNP-TV-Z]{26}$/),
    at: z.iso.datetime(),
    actor: z.strictObject({ name: text(500), email: text(500) }),
    authenticated: authenticated.exactOptional(),
    deployment: deploymentId,
    status: z.enum(DEPLOYMENT_STATUSES),
    source: z.literal('observer').exactOptional(),
    automatic: z
      .strictObject({
        request: z.string().refine(isRequestId).nullable(),
        refused: z
          .string()
          .regex(/^[A-Z0-9_]{1,60}$/)
          .nullable(),
      })
      .exactOptional(),
    opening: z
      .strictObject({
        tenant: name.exactOptional(),
        environment: name,
        service: name.exactOptional(),
        commit: objectId,
        version,
        images: list,
        charts: list,
        source: z.enum(DEPLOYMENT_SOURCES),
        rollback: z
          .strictObject({ request: z.string().refine(isRequestId).nullable(), commit: objectId, version })
          .nullable(),
      })
      .nullable(),
    note: text(NOTE_LIMIT).nullable(),
    migration: text(NOTE_LIMIT).nullable(),
    images: list,
    by: deploymentId.nullable(),
  }),
});
const later = z.looseObject({ version: z.int().min(NEWEST_FORM + 1) });

export function printDeploymentEvent(event: DeploymentEvent): string {
  return `${JSON.stringify({ version: formOf(event), event }, null, 2)}\n`;
}

/** @throws LEDGER_TAMPERED where it is not in the form that Backtrail writes or is in another's place, LEDGER_NEWER for a later form */
export function readDeploymentEvent(source: string, path: string): DeploymentEvent {
  const json = source.length > FILE_LIMIT ? undefined : parseJson(source);
  const named = later.safeParse(json).data?.version;
  if (named !== undefined) throw newerForm(`The record ${path}`, named, path);
  const { event, version: form } = file.safeParse(json).data ?? {};
  if (event !== undefined && form === formOf(event) && deploymentPath(event) === path) return event;
  throw new BacktrailError(
    'LEDGER_TAMPERED',
    `The record ${path} is not in the form that Backtrail writes.`,
    {
      details: { path },
    },
  );
}

function parseJson(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    return undefined;
  }
}

/** Lines of a message: people read it, and `git log` searches its trailers. */
const MOST_LINES = 100;

/** The message of a commit that adds these events; `states`: the deployments after them, in their order. */
export function deploymentsMessage(
  events: readonly DeploymentEvent[],
  states: ReadonlyMap<string, Deployment>,
): string {
  const [first] = events;
  const sentences = events.map((event) => sentenceOf(event, states.get(event.deployment)));
  const who = first?.actor.email ?? '';
  const head =
    events.length === 1 ? `${who} records ${sentences[0] ?? ''}` : `${who} records ${events.length} events`;
  const trailers = events
    .slice(0, MOST_LINES)
    .map(({ deployment, status }) => `Deployment: ${deployment} ${status}`);
  const paragraphs = [
    [cleanValue(head).replace(/^[-#\s]+/, '') || 'Deployments'],
    indentBody(events.length === 1 ? (first?.note ?? '') : sentences.slice(0, MOST_LINES).join('\n')),
    trailers,
  ].filter((lines) => lines.length > 0);
  return `${paragraphs.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function sentenceOf({ status }: DeploymentEvent, state: Deployment | undefined): string {
  if (state === undefined) return status;
  const version = state.version === null ? '' : `v${state.version} `;
  return `${formatCoordinates(state)} ${version}(${state.commit.slice(0, 7)}): ${status}`;
}
