import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isFailure, makeRequestId } from '../../../engine/model/index.ts';
import { deliveryMessage, rollbackMessage } from '../../../engine/record/message.ts';
import { readDelivery, readRollback } from '../../../engine/record/read.ts';
import type { RollbackRecord } from '../../../engine/record/trailers.ts';
import {
  cleanValue,
  deliveryTrailers,
  formatTrailers,
  rollbackTrailers,
} from '../../../engine/record/trailers.ts';
import { messageReader } from '../../helpers/repositories/messages.ts';
import type { MessageReader } from '../../helpers/repositories/messages.ts';
import { runs } from '../../helpers/run/proof.ts';
import { anyCharacter } from '../../helpers/trees/any-character.ts';

const RECORD: RollbackRecord = {
  mode: 'service',
  tenant: 'acme',
  environment: 'production',
  service: 'api-gateway',
  justification: 'Bad image tag v2.1.0 causing 500 errors',
  author: 'jane@example.com',
  approvals: ['Approved by bob@example.com (quorum: 1/1)'],
  requestId: makeRequestId(0, new Uint8Array(10)),
  target: 'a'.repeat(40),
  base: 'b'.repeat(40),
  plan: `sha256:${'c'.repeat(64)}`,
  engine: 1,
  fields: [],
};

const MESSAGE = `Rollback: tenant/acme env/production → revision aaaaaaa

    Bad image tag v2.1.0 causing 500 errors

Mode: service
Service: api-gateway
Justification: Bad image tag v2.1.0 causing 500 errors
Author: jane@example.com
Approval: Approved by bob@example.com (quorum: 1/1)
Rollback-Request-ID: ${RECORD.requestId}
Rollback-Tenant: acme
Rollback-Environment: production
Rollback-Target: ${RECORD.target}
Rollback-Base: ${RECORD.base}
Rollback-Plan: ${RECORD.plan}
Rollback-Engine: 1
`;

const HOSTILE = [
  'foo\nApproval: Approved by eve@example.com',
  '---\nApproval: eve',
  '# ------------------------ >8 ------------------------\nMode: full',
  '#',
  '(cherry picked from commit 0123456789012345678901234567890123456789)',
  'Signed-off-by: eve <eve@example.com>',
  ' leading\u2028Rollback-Request-ID: rbk-0',
  '\ufeffbom\u0000nul',
  '\u202eright to left',
  '\ud800',
  'Conflicts:\n\ta\n',
  'a\r\n\r\nMode: full\r\n\r\nb',
  '"quoted"',
  '',
  '\t',
];

const text = fc.oneof(
  fc.string({ unit: anyCharacter, maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom('\n', '\r', ' ', ':', '-', '#', 'A', 'é', '\u2028', '\u0085', '\t', '"', '\\'),
    maxLength: 20,
  }),
  fc.constantFrom(...HOSTILE),
  fc.tuple(fc.constantFrom(...HOSTILE), fc.constantFrom(...HOSTILE)).map((parts) => parts.join('\n')),
);
const readable = text.map((value) => (cleanValue(value) === '' ? `why ${value}` : value));
const name = text.map((value) => (value === '' ? 'n' : value));

const record: fc.Arbitrary<RollbackRecord> = fc
  .record({
    tenant: fc.option(name),
    environment: name,
    service: fc.option(name),
    fields: fc.array(name, { maxLength: 3 }),
  })
  .chain(({ tenant, environment, service, fields }) =>
    fc
      .record({ justification: readable, author: text, approvals: fc.array(text, { maxLength: 3 }) })
      .map((free) => ({
        ...RECORD,
        ...free,
        mode: fields.length > 0 ? 'field' : service === null ? 'full' : 'service',
        environment,
        fields,
        ...withoutNull('tenant', tenant),
        ...withoutNull('service', service),
      })),
  );

function withoutNull(key: string, value: string | null): Record<string, string | undefined> {
  return { [key]: value ?? undefined };
}

let git: MessageReader;
beforeAll(() => {
  git = messageReader();
});
afterAll(() => git.close());

describe('rollbackMessage', () => {
  it('writes subject, indented reason and one paragraph of trailers', () => {
    expect(rollbackMessage({ record: RECORD, shortTarget: 'aaaaaaa' }).text).toBe(MESSAGE);
  });

  it('leaves the tenant out of the subject where there is none and takes other first words', () => {
    const { tenant: _tenant, ...record } = RECORD;
    const message = rollbackMessage({ record, subject: 'revert(prod)', shortTarget: 'aaaaaaa' }).text;
    expect(message.split('\n')[0]).toBe('revert(prod): env/production → revision aaaaaaa');
    expect(message).not.toContain('Rollback-Tenant');
  });

  it('keeps the lines of a reason in the body and its words in one trailer', () => {
    const record = { ...RECORD, justification: 'Errors since 10:00\n\n\n  see:\n---\nApproval: eve\n' };
    const message = rollbackMessage({ record, shortTarget: 'aaaaaaa' }).text;
    expect(message).toContain(
      '\n\n    Errors since 10:00\n\n      see:\n    ---\n    Approval: eve\n\nMode: service\n',
    );
    expect(message).toContain('\nJustification: Errors since 10:00   see: --- Approval: eve\n');
    expect(git.interpreted(message)).toEqual(formatTrailers(rollbackTrailers(record)));
  });

  it('writes one Rollback-Field a field', () => {
    const fields = ['services/api/service.yaml#/image/tag', 'services/api/service.yaml#/replicas'];
    const message = rollbackMessage({
      record: { ...RECORD, mode: 'field', fields },
      shortTarget: 'aaaaaaa',
    }).text;
    expect(git.interpreted(message).filter((line) => line.startsWith('Rollback-Field'))).toEqual(
      fields.map((field) => `Rollback-Field: ${field}`),
    );
  });

  it.each([
    '--- ',
    '# x',
    '#',
    '',
    '\n',
    'Mode: full\n\nMode: full',
    `This reverts commit ${'a'.repeat(40)}`,
  ])('keeps its trailers whatever the first words of the subject are (%j)', (subject) => {
    const message = rollbackMessage({ record: RECORD, subject, shortTarget: 'aaaaaaa' }).text;
    expect(git.interpreted(message)).toEqual(formatTrailers(rollbackTrailers(RECORD)));
    expect(git.logged([message])).toEqual([formatTrailers(rollbackTrailers(RECORD))]);
  });

  it('survives git exactly for any text, and nothing in a text becomes a trailer', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 30 }), text, (records, subject) => {
        const messages = records.map(
          (record) => rollbackMessage({ record, subject, shortTarget: 'aaaaaaa' }).text,
        );
        const wanted = records.map((record) => formatTrailers(rollbackTrailers(record)));
        expect(git.logged(messages)).toEqual(wanted);
        expect(git.interpreted(messages[0] ?? '')).toEqual(wanted[0]);
      }),
      { numRuns: runs(60, 8) },
    );
  });

  it('gives back through git the names that were written, and clean text', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 30 }), (records) => {
        const logged = git.logged(
          records.map((record) => rollbackMessage({ record, shortTarget: 'aaaaaaa' }).text),
        );
        records.forEach((record, index) => {
          const claim = readRollback(logged[index] ?? []);
          const author = cleanValue(record.author);
          expect(claim?.problems).toEqual(author === '' ? ['Trailer Author is missing.'] : []);
          expect(claim?.record).toEqual({
            ...record,
            justification: cleanValue(record.justification),
            author,
            approvals: record.approvals.map(cleanValue).filter((approval) => approval !== ''),
          });
        });
      }),
      { numRuns: runs(40, 6) },
    );
  });

  it('refuses a reason that holds nothing readable', () => {
    expect(() =>
      rollbackMessage({ record: { ...RECORD, justification: ' \n\u0000' }, shortTarget: 'a' }),
    ).toThrow(expect.toSatisfy((error: unknown) => isFailure(error) && error.code === 'REASON_REQUIRED'));
  });

  it('refuses a name that is too long instead of cutting it', () => {
    const record = { ...RECORD, fields: [`a.yaml#/${'x'.repeat(9000)}`] };
    expect(() => rollbackTrailers(record)).toThrow(
      expect.toSatisfy((error: unknown) => isFailure(error) && error.code === 'FIELD_INVALID'),
    );
  });
});

describe('deliveryMessage', () => {
  const record = { of: 'd'.repeat(40), renderer: 'workload 1, plain 1', requestId: RECORD.requestId };
  const made = { record, rollback: RECORD, shortTarget: 'aaaaaaa' };

  it('names the services and the commit that it delivers, and is no rollback', () => {
    const message = deliveryMessage({ ...made, services: ['api-gateway'] }).text;
    expect(message).toBe(
      `Deliver: tenant/acme env/production (api-gateway)\n\nDelivery-Of: ${record.of}\nDelivery-Renderer: workload 1, plain 1\nDelivery-Request: ${record.requestId}\n`,
    );
    const [logged = []] = git.logged([message]);
    expect(logged).toEqual(formatTrailers(deliveryTrailers(record)));
    expect(readDelivery(logged)).toEqual({ record, problems: [] });
    expect(readRollback(logged)).toBeNull();
  });

  it('counts the services where they are many', () => {
    const message = deliveryMessage({ ...made, services: ['a', 'b', 'c', 'd'] }).text;
    expect(message.split('\n')[0]).toBe('Deliver: tenant/acme env/production (4 services)');
  });
});
