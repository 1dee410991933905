import type { Coordinates } from '../model/index.ts';
import {
  fillSubject,
  type MessageStyle,
  type MessageValues,
  messageValues,
  DEFAULT_STYLE,
  styleTrailers,
  subjectLine,
} from './style.ts';
import type { DeliveryRecord, ResumeRecord, RollbackRecord } from './trailers.ts';
import {
  cleanValue,
  deliveryTrailers,
  formatTrailers,
  resumeTrailers,
  rollbackTrailers,
} from './trailers.ts';
import { indentBody } from './text.ts';

const SERVICES_NAMED = 3;
/** Distinguishes the delivery commit from its rollback if a template makes the subject of both. */
const DELIVERED = ' (manifests)';

/** A message, final newline included, and its trailers: git must parse the same ones from `text`. */
export interface Message {
  readonly text: string;
  readonly trailers: readonly (readonly [key: string, value: string])[];
}

/**
 * The message of a rollback commit: subject, the reason indented by four spaces, and one last paragraph of trailers. `subject` replaces
 * the first word; `shortTarget` is the displayed form of the target.
 * @throws REASON_REQUIRED, SCOPE_INVALID, FIELD_INVALID like `rollbackTrailers`
 */
export function rollbackMessage(input: {
  record: RollbackRecord;
  subject?: string;
  shortTarget: string;
  style?: MessageStyle;
}): Message {
  const { record, subject = '', shortTarget, style = DEFAULT_STYLE } = input;
  const values = messageValues(record, shortTarget);
  const words = subjectLine(subject) || 'Rollback';
  const head = `${words}: ${scopeText(record)} → revision ${cleanValue(shortTarget)}`;
  return assemble(templatedSubject(style, values) || head, indentBody(record.justification), [
    ...rollbackTrailers(record),
    ...styleTrailers(style, values),
  ]);
}

/**
 * The message of the commit of a resume. `rollback`: its scope, and what templates of trailers may name.
 * @throws REASON_REQUIRED, SCOPE_INVALID like `resumeTrailers`
 */
export function resumeMessage(input: {
  record: ResumeRecord;
  rollback: RollbackRecord;
  shortTarget: string;
  style?: MessageStyle;
}): Message {
  const { record, rollback, shortTarget, style = DEFAULT_STYLE } = input;
  const service = rollback.service === undefined ? '' : ` service/${cleanValue(rollback.service)}`;
  return assemble(`Resume: ${scopeText(rollback)}${service}`, indentBody(record.justification), [
    ...resumeTrailers(record),
    ...styleTrailers(style, messageValues(rollback, shortTarget)),
  ]);
}

/**
 * The message of the commit that delivers the manifests of `rollback`. `services`: those whose manifests change; the subject names up to
 * three.
 */
export function deliveryMessage(input: {
  record: DeliveryRecord;
  rollback: RollbackRecord;
  services: readonly string[];
  shortTarget: string;
  style?: MessageStyle;
}): Message {
  const { record, rollback, services, shortTarget, style = DEFAULT_STYLE } = input;
  const values = messageValues(rollback, shortTarget);
  const named =
    services.length > SERVICES_NAMED ? `${services.length} services` : services.map(cleanValue).join(', ');
  const head = `Deliver: ${scopeText(rollback)}${named === '' ? '' : ` (${named})`}`;
  return assemble(
    templatedSubject(style, values, DELIVERED) || head,
    [],
    [...deliveryTrailers(record), ...styleTrailers(style, values)],
  );
}

function templatedSubject({ subject }: MessageStyle, values: MessageValues, suffix?: string): string {
  return subject === null ? '' : fillSubject(subject, values, suffix);
}

function assemble(head: string, body: readonly string[], trailers: Message['trailers']): Message {
  const paragraphs = [[head], body, formatTrailers(trailers)].filter((lines) => lines.length > 0);
  return { text: `${paragraphs.map((lines) => lines.join('\n')).join('\n\n')}\n`, trailers };
}

function scopeText({ tenant, environment }: Coordinates): string {
  const env = `env/${cleanValue(environment)}`;
  return tenant === undefined ? env : `tenant/${cleanValue(tenant)} ${env}`;
}
