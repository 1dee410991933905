import type { Coordinates } from '../model/index.ts';
import {
  fillSubject,
  type MessageStyle,
  type MessageValues,
  messageValues,
  PLAIN,
  styleTrailers,
  subjectLine,
} from './style.ts';
import type { DeliveryRecord, RollbackRecord } from './trailers.ts';
import { cleanValue, deliveryTrailers, formatTrailers, rollbackTrailers } from './trailers.ts';
import { indentBody } from './text.ts';

const SERVICES_NAMED = 3;
/** Tells the delivery commit from its rollback where a template makes the subject of both. */
const DELIVERED = ' (manifests)';

/** A message, final newline included, and its last paragraph: what git must read back from it. */
export interface Message {
  readonly text: string;
  readonly trailers: readonly (readonly [key: string, value: string])[];
}

/**
 * The message of a rollback commit: subject, the reason indented by four, and one last paragraph of trailers. `subject` replaces the
 * first word; `shortTarget` is what people see of the target. Throws what `rollbackTrailers` throws.
 */
export function rollbackMessage(input: {
  record: RollbackRecord;
  subject?: string;
  shortTarget: string;
  style?: MessageStyle;
}): Message {
  const { record, subject = '', shortTarget, style = PLAIN } = input;
  const values = messageValues(record, shortTarget);
  const words = subjectLine(subject) || 'Rollback';
  const head = `${words}: ${place(record)} → revision ${cleanValue(shortTarget)}`;
  return assemble(styled(style, values) || head, indentBody(record.justification), [
    ...rollbackTrailers(record),
    ...styleTrailers(style, values),
  ]);
}

/**
 * The message of the commit that delivers what `rollback` restored. `services` are those whose manifests it changes; the subject names
 * up to three.
 */
export function deliveryMessage(input: {
  record: DeliveryRecord;
  rollback: RollbackRecord;
  services: readonly string[];
  shortTarget: string;
  style?: MessageStyle;
}): Message {
  const { record, rollback, services, shortTarget, style = PLAIN } = input;
  const values = messageValues(rollback, shortTarget);
  const named =
    services.length > SERVICES_NAMED ? `${services.length} services` : services.map(cleanValue).join(', ');
  const head = `Deliver: ${place(rollback)}${named === '' ? '' : ` (${named})`}`;
  return assemble(
    styled(style, values, DELIVERED) || head,
    [],
    [...deliveryTrailers(record), ...styleTrailers(style, values)],
  );
}

function styled({ subject }: MessageStyle, values: MessageValues, suffix?: string): string {
  return subject === null ? '' : fillSubject(subject, values, suffix);
}

function assemble(head: string, body: readonly string[], trailers: Message['trailers']): Message {
  const paragraphs = [[head], body, formatTrailers(trailers)].filter((lines) => lines.length > 0);
  return { text: `${paragraphs.map((lines) => lines.join('\n')).join('\n\n')}\n`, trailers };
}

function place({ tenant, environment }: Coordinates): string {
  const env = `env/${cleanValue(environment)}`;
  return tenant === undefined ? env : `tenant/${cleanValue(tenant)} ${env}`;
}
