import { isObjectId, isRequestId, MODES } from '../model/index.ts';
import type { Mode } from '../model/index.ts';
import type { DeliveryRecord, ResumeRecord, RollbackRecord, TrailerKey } from './trailers.ts';
import { cleanValue, parseTrailerLines, TRAILERS } from './trailers.ts';
import { unquoteName } from './text.ts';

/** A record claimed by a commit, and the ways in which it deviates from what Backtrail writes. */
export interface Claim<R> {
  readonly record: R;
  /** One sentence each. A duplicate of a key that must be unique may be tampering. */
  readonly problems: readonly string[];
}

type TrailerValues = ReadonlyMap<string, readonly string[]>;

/**
 * Parses the record of a rollback; null unless there is exactly one `Rollback-Request-ID`. `trailers`: lines as printed by git
 * (`%(trailers:only,unfold)`). Unknown keys are ignored. Text is cleaned for display; an invalid value is reported in `problems` and
 * kept, cleaned.
 */
export function readRollback(trailers: readonly string[]): Claim<RollbackRecord> | null {
  const values = parseTrailerLines(trailers);
  if (values.get(lower('Rollback-Request-ID'))?.length !== 1) return null;
  const problems = duplicates(values);
  const read = trailerReader(values, problems);
  const tenant = read.name('Rollback-Tenant', 'optional');
  const service = read.name('Service', 'optional');
  const overrides = read.all('Rollback-Override');
  const [breakGlass] = read.all('Rollback-Break-Glass');
  const [ledger] = read.all('Rollback-Ledger');
  const holds = read.all('Rollback-Hold').map((value) => read.unquote('Rollback-Hold', value));
  const fields = read.all('Rollback-Field').map((value) => read.unquote('Rollback-Field', value));
  const record: RollbackRecord = {
    mode: readMode({ claimed: read.text('Mode'), service, fields, problems }),
    ...(tenant === '' ? {} : { tenant }),
    environment: read.name('Rollback-Environment', 'required'),
    ...(service === '' ? {} : { service }),
    justification: read.text('Justification'),
    author: read.text('Author'),
    approvals: read.all('Approval').map(cleanValue),
    requestId: read.valid('Rollback-Request-ID', isRequestId),
    target: read.valid('Rollback-Target', isObjectId),
    base: read.valid('Rollback-Base', isObjectId),
    plan: read.valid('Rollback-Plan', (value) => /^sha256:[0-9a-f]{64}$/.test(value)),
    engine: Number(read.valid('Rollback-Engine', (value) => /^[1-9]\d{0,5}$/.test(value))) || 0,
    fields,
    ...(overrides.length === 0 ? {} : { overrides: overrides.map(cleanValue) }),
    ...(breakGlass === undefined ? {} : { breakGlass: cleanValue(breakGlass) }),
    ...(ledger === undefined ? {} : { ledger: read.valid('Rollback-Ledger', isObjectId) }),
    ...(holds.length === 0 ? {} : { holds }),
  };
  return { record, problems };
}

/** Parses the record of a resume; null unless there is exactly one `Resume-Request-ID`, and none of a rollback. */
export function readResume(trailers: readonly string[]): Claim<ResumeRecord> | null {
  const values = parseTrailerLines(trailers);
  if (values.get(lower('Resume-Request-ID'))?.length !== 1 || values.has(lower('Rollback-Request-ID')))
    return null;
  const problems = duplicates(values);
  const read = trailerReader(values, problems);
  const [ledger] = read.all('Resume-Ledger');
  const record: ResumeRecord = {
    justification: read.text('Justification'),
    author: read.text('Author'),
    approvals: read.all('Approval').map(cleanValue),
    requestId: read.valid('Resume-Request-ID', isRequestId),
    holds: read.all('Resume-Hold').map((value) => read.unquote('Resume-Hold', value)),
    plan: read.valid('Resume-Plan', (value) => /^sha256:[0-9a-f]{64}$/.test(value)),
    ...(ledger === undefined ? {} : { ledger: read.valid('Resume-Ledger', isObjectId) }),
  };
  return { record, problems };
}

/** Parses the record of a delivery; null unless there is exactly one `Delivery-Of`. */
export function readDelivery(trailers: readonly string[]): Claim<DeliveryRecord> | null {
  const values = parseTrailerLines(trailers);
  if (values.get(lower('Delivery-Of'))?.length !== 1) return null;
  const problems = duplicates(values);
  const read = trailerReader(values, problems);
  const record: DeliveryRecord = {
    of: read.valid('Delivery-Of', isObjectId),
    renderer: read.text('Delivery-Renderer'),
    requestId: read.valid('Delivery-Request', isRequestId),
  };
  return { record, problems };
}

function readMode(claim: {
  claimed: string;
  service: string;
  fields: readonly string[];
  problems: string[];
}): Mode {
  const { claimed, service, fields, problems } = claim;
  const wider: Mode = service === '' ? 'full' : 'service';
  const isNarrow = fields.some((field) => field.includes('#'));
  const apparent = fields.length > 0 ? 'field' : wider;
  const mode = MODES.find((mode) => mode === claimed);
  if (mode === undefined) {
    if (claimed !== '') problems.push(`Trailer Mode is not valid: ${claimed}.`);
    return apparent;
  }
  // A wider rollback lists the files that it restored as a whole.
  if (mode !== apparent && (isNarrow || mode !== wider))
    problems.push(`Trailer Mode is ${mode}, but the other trailers describe mode ${apparent}.`);
  return mode;
}

function duplicates(values: TrailerValues): string[] {
  return Object.entries(TRAILERS)
    .map(([key, repeats]) => ({ key, count: repeats ? 0 : (values.get(key.toLowerCase())?.length ?? 0) }))
    .filter(({ count }) => count > 1)
    .map(({ key, count }) => `Trailer ${key} occurs ${count} times.`);
}

function trailerReader(values: TrailerValues, problems: string[]) {
  const all = (key: TrailerKey): readonly string[] => values.get(lower(key)) ?? [];
  const first = (key: TrailerKey): string => all(key)[0] ?? '';
  const text = (key: TrailerKey): string => {
    const value = cleanValue(first(key));
    if (value === '') problems.push(`Trailer ${key} is missing.`);
    return value;
  };
  const valid = (key: TrailerKey, test: (value: string) => boolean): string => {
    const value = text(key);
    if (value !== '' && !test(first(key))) problems.push(`Trailer ${key} is not valid: ${value}.`);
    return value;
  };
  const unquote = (key: TrailerKey, value: string): string => {
    const name = unquoteName(value);
    if (name === null) problems.push(`Trailer ${key} is not valid: ${cleanValue(value)}.`);
    return name ?? cleanValue(value);
  };
  const name = (key: TrailerKey, presence: 'required' | 'optional'): string => {
    if (all(key).length > 0) return unquote(key, first(key));
    if (presence === 'required') problems.push(`Trailer ${key} is missing.`);
    return '';
  };
  return { all, text, valid, unquote, name };
}

function lower(key: TrailerKey): string {
  return key.toLowerCase();
}
