/** What becomes of a mutation: its result, or what stands in the way of it, by the input that it is about. */
import { z } from 'zod';
import { EVERY_CALL, httpHint } from '../hints.ts';
import {
  type BacktrailError,
  FAILURES,
  type FailureCode,
  type Finding,
  isFailure,
} from '../../engine/index.ts';

export interface Message {
  /** The input's name. */
  readonly field: string;
  readonly message: string;
  readonly code: string;
  readonly hint: string | null;
}

export interface Result<Value> {
  readonly successful: boolean;
  readonly result: Value | null;
  readonly messages: readonly Message[];
}

/** Thrown where inputs are wrong in ways that only this face knows. */
export class Refused extends Error {
  readonly messages: readonly Message[];
  constructor(messages: readonly Message[]) {
    super('refused');
    this.messages = messages;
  }
}

/** Inputs that a failure is about, the first of them that the mutation has. */
const ABOUT: Readonly<Partial<Record<FailureCode, readonly string[]>>> = {
  TENANT_UNKNOWN: ['organizationId'],
  SCOPE_INVALID: ['instanceId'],
  ENVIRONMENT_UNKNOWN: ['instanceId'],
  SERVICE_UNKNOWN: ['instanceId'],
  REVISION_INVALID: ['revision'],
  REVISION_UNKNOWN: ['revision'],
  REVISION_NOT_ON_BRANCH: ['revision'],
  TARGET_REQUIRED: ['revision'],
  TARGET_ABSENT: ['revision'],
  TARGET_INELIGIBLE: ['revision'],
  FIELD_INVALID: ['fields'],
  FIELD_NEEDS_SERVICE: ['fields'],
  FIELD_OUT_OF_SCOPE: ['fields'],
  FIELD_UNKNOWN: ['fields'],
  FIELDS_REQUIRED: ['fields'],
  REASON_REQUIRED: ['message'],
  PLAN_CHANGED: ['digest'],
};

/** Names of the core API's bodies under which this face has another one. */
const NAMED: Readonly<Record<string, string>> = {
  targetSha: 'revision',
  justification: 'message',
  comment: 'message',
  selectedFields: 'fields',
  tenant: 'organizationId',
  environment: 'instanceId',
  service: 'instanceId',
};

/** For whoever calls by GraphQL. */
export function hintOf(code: FailureCode, hint: string): string {
  const said = httpHint(code, hint);
  return said === EVERY_CALL ? 'docs/schema.graphql describes every call.' : said;
}

/** Failures become messages. `inputs`: those of the mutation, what it is about first. @throws UNAUTHENTICATED, INTERNAL, and what is no failure */
export async function resultOf<Value>(
  inputs: readonly [string, ...string[]],
  work: () => Promise<Value>,
): Promise<Result<Value>> {
  try {
    return { successful: true, result: await work(), messages: [] };
  } catch (error) {
    return { successful: false, result: null, messages: messagesOf(error, inputs) };
  }
}

function messagesOf(error: unknown, inputs: readonly [string, ...string[]]): readonly Message[] {
  if (error instanceof Refused) return error.messages;
  if (error instanceof z.ZodError)
    return error.issues.map(({ path, message }) => {
      const name = String(path[0] ?? '');
      const field = NAMED[name] ?? name;
      return {
        field: inputs.includes(field) ? field : inputs[0],
        message,
        code: 'INVALID_REQUEST',
        hint: hintOf('INVALID_REQUEST', FAILURES.INVALID_REQUEST.hint),
      };
    });
  if (!isFailure(error) || error.code === 'UNAUTHENTICATED' || error.code === 'INTERNAL') throw error;
  const blocking = findingsOf(error).filter(({ severity }) => severity === 'block');
  const told = blocking.length > 0 ? blocking : [error];
  return told.map(({ code, message, hint }) => ({
    field: fieldOf(code, inputs),
    message,
    code,
    hint: hint === undefined ? null : hintOf(error.code, hint),
  }));
}

/** Of a plan that is blocked. */
function findingsOf({ details }: BacktrailError): readonly Finding[] {
  const { findings } = details;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the engine's own, by this name
  return Array.isArray(findings) ? (findings as readonly Finding[]) : [];
}

function fieldOf(code: string, inputs: readonly [string, ...string[]]): string {
  const about: Readonly<Record<string, readonly string[]>> = ABOUT;
  return about[code]?.find((name) => inputs.includes(name)) ?? inputs[0];
}
