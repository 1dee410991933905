import type { Coordinates } from '../model/index.ts';
import type { DeliveryRecord, RollbackRecord, Trailer } from './trailers.ts';
import { cleanValue, deliveryTrailers, formatTrailers, rollbackTrailers } from './trailers.ts';
import { indentBody } from './text.ts';

const SERVICES_NAMED = 3;

/**
 * The whole message of a rollback commit, final newline included: subject, the reason indented by four, and one last paragraph of
 * trailers. `subject` replaces the first word; `shortTarget` is what people see of the target. Throws what `rollbackTrailers` throws.
 */
export function rollbackMessage(input: {
  record: RollbackRecord;
  subject?: string;
  shortTarget: string;
}): string {
  const { record, subject = '', shortTarget } = input;
  const head = `${firstWords(subject, 'Rollback')}: ${place(record)} → revision ${cleanValue(shortTarget)}`;
  return assemble(head, indentBody(record.justification), rollbackTrailers(record));
}

/** The whole message of a delivery commit. `services` are those whose manifests it changes; the subject names up to three. */
export function deliveryMessage(input: {
  record: DeliveryRecord;
  coordinates: Coordinates;
  services: readonly string[];
}): string {
  const { record, coordinates, services } = input;
  const named =
    services.length > SERVICES_NAMED ? `${services.length} services` : services.map(cleanValue).join(', ');
  const head = `Deliver: ${place(coordinates)}${named === '' ? '' : ` (${named})`}`;
  return assemble(head, [], deliveryTrailers(record));
}

function assemble(head: string, body: readonly string[], trailers: readonly Trailer[]): string {
  const paragraphs = [[head], body, formatTrailers(trailers)].filter((lines) => lines.length > 0);
  return `${paragraphs.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** A subject that begins with `---` ends the message for `git interpret-trailers`, and one with `#` is a comment for others. */
function firstWords(subject: string, fallback: string): string {
  return cleanValue(subject).replace(/^[-#\s]+/, '') || fallback;
}

function place({ tenant, environment }: Coordinates): string {
  const env = `env/${cleanValue(environment)}`;
  return tenant === undefined ? env : `tenant/${cleanValue(tenant)} ${env}`;
}
