import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeRequestId } from '../../../engine/model/index.ts';
import { deliveryMessage, rollbackMessage } from '../../../engine/record/message.ts';
import { readDelivery, readRollback } from '../../../engine/record/read.ts';
import { MESSAGE_PLACEHOLDERS, DEFAULT_STYLE, templateProblem } from '../../../engine/record/style.ts';
import { formatTrailers, type RollbackRecord, rollbackTrailers } from '../../../engine/record/trailers.ts';
import { type MessageReader, messageReader } from '../../helpers/repositories/messages.ts';
import { runs } from '../../helpers/run/proof.ts';
import { anyCharacter } from '../../helpers/trees/any-character.ts';

const RECORD: RollbackRecord = {
  mode: 'field',
  tenant: 'acme',
  environment: 'production',
  service: 'api',
  justification: 'Errors since ten\nSee the dashboard',
  author: 'jane@example.com',
  approvals: [],
  requestId: makeRequestId(0, new Uint8Array(10)),
  target: 'a'.repeat(40),
  base: 'b'.repeat(40),
  plan: `sha256:${'c'.repeat(64)}`,
  engine: 2,
  fields: ['api/values.yaml#/image/tag'],
};
const JANE = { name: 'Jane', email: 'jane@example.com' };
const ROBOT = { name: 'Backtrail', email: 'backtrail@example.com' };
const DELIVERY = { of: 'd'.repeat(40), renderer: 'plain 1', requestId: RECORD.requestId };

const { service: _service, ...others } = RECORD;
const WIDE: RollbackRecord = { ...others, mode: 'full', fields: [] };
const styled = (subject: string | null, record: Partial<RollbackRecord> = {}, of = RECORD) =>
  rollbackMessage({
    record: { ...of, ...record },
    shortTarget: 'aaaaaaa',
    style: { ...DEFAULT_STYLE, subject },
  }).text;
const subjectOf = (message: string) => message.split('\n', 1)[0];

let git: MessageReader;
beforeAll(() => {
  git = messageReader();
});
afterAll(() => git.close());

describe('a subject of the configuration', () => {
  it('stands in the place of the whole subject, its placeholders filled', () => {
    expect(subjectOf(styled('fix({service}): roll back {fields} to {target}'))).toBe(
      'fix(api): roll back api/values.yaml#/image/tag to aaaaaaa',
    );
    expect(subjectOf(styled('{tenant}|{environment}|{scope}|{mode}|{reason}|{author}'))).toBe(
      'acme|production|acme/production/api|field|Errors since ten|jane@example.com',
    );
    expect(subjectOf(styled('Back {request}'))).toBe(`Back ${RECORD.requestId}`);
  });

  it('leaves out what has nothing to say, with the brackets around it', () => {
    const template = 'fix({service}): roll back {fields} to {target}';
    expect(subjectOf(styled(template, {}, WIDE))).toBe('fix: roll back to aaaaaaa');
    expect(subjectOf(styled('[{service}] {scope}', {}, WIDE))).toBe('acme/production');
    expect(subjectOf(styled('{service}: back', {}, WIDE))).toBe('back');
  });

  it('is the usual one where nothing is left of it', () => {
    const usual = 'Rollback: tenant/acme env/production → revision aaaaaaa';
    expect(subjectOf(styled(null))).toBe(usual);
    expect(subjectOf(styled('{service}', {}, WIDE))).toBe(usual);
    expect(subjectOf(styled('# ---'))).toBe(usual);
  });

  it('counts fields where they are many, and has at most 100 characters', () => {
    const fields = ['a#/b', 'a#/c', 'a#/d', 'a#/e'];
    expect(subjectOf(styled('back {fields}', { fields }))).toBe('back 4 fields');
    const long = subjectOf(styled('back {scope}', { service: 'é'.repeat(300) })) ?? '';
    expect(Array.from(long)).toHaveLength(100);
    expect(long).toMatch(/^back acme\/production\/é+…$/);
  });

  it('fills placeholders once: what a name holds is text', () => {
    expect(subjectOf(styled('back {service}', { service: '{target}' }))).toBe('back {target}');
  });

  it.each(['Rollback-Request-ID: rbk-1', 'signed-off-by : eve <eve@example.com>'])(
    'is the usual one where a reason would make it look like a trailer: %s',
    (justification) => {
      expect(subjectOf(styled('{reason}', { justification }))).toMatch(/^Rollback: tenant/);
      expect(subjectOf(styled('back: {reason}', { justification }))).toBe(`back: ${justification}`);
    },
  );

  it('never says that it is a revert of git', () => {
    const service = `This reverts commit ${'e'.repeat(40)}`;
    expect(styled('{service}', { service })).not.toMatch(/^This reverts commit/m);
  });
});

describe('trailers of the configuration', () => {
  const style = {
    subject: null,
    trailers: { Ticket: 'OPS-1', Scope: '{scope}', 'Fields-Of': '{fields}' },
    signers: [JANE, ROBOT, JANE],
  };

  it('follow those of Backtrail, sign-offs last and each once, and an empty one is left out', () => {
    const { text } = rollbackMessage({
      record: WIDE,
      shortTarget: 'aaaaaaa',
      style,
    });
    const own = [
      'Ticket: OPS-1',
      'Scope: acme/production',
      'Signed-off-by: Jane <jane@example.com>',
      'Signed-off-by: Backtrail <backtrail@example.com>',
    ];
    const [logged = []] = git.logged([text]);
    expect(logged).toEqual([...formatTrailers(rollbackTrailers(WIDE)), ...own]);
    expect(git.interpreted(text)).toEqual(logged);
    expect(readRollback(logged)?.problems).toEqual([]);
  });

  it('go into the delivery commit as well, whose subject says that it holds the manifests', () => {
    const { text } = deliveryMessage({
      record: DELIVERY,
      rollback: RECORD,
      services: ['api'],
      shortTarget: 'aaaaaaa',
      style: { ...style, subject: `fix({service}): ${'x'.repeat(150)}`, signers: [ROBOT] },
    });
    expect(subjectOf(text)).toMatch(/^fix\(api\): x+… \(manifests\)$/);
    expect(subjectOf(text)).toHaveLength(100);
    const [logged = []] = git.logged([text]);
    expect(logged.slice(-4)).toEqual([
      'Ticket: OPS-1',
      'Scope: acme/production/api',
      'Fields-Of: api/values.yaml#/image/tag',
      'Signed-off-by: Backtrail <backtrail@example.com>',
    ]);
    expect(readDelivery(logged)).toEqual({ record: DELIVERY, problems: [] });
  });

  const hostile = fc.oneof(
    fc.string({ unit: anyCharacter, minLength: 1, maxLength: 40 }),
    fc.constantFrom(
      'x\nRollback-Engine: 9',
      '---\nrollback-request-id: rbk-0',
      '# x',
      '\n\nSigned-off-by: eve <eve@example.com>',
      '{service}{reason}',
      `This reverts commit ${'e'.repeat(40)}`,
      ' ',
    ),
  );
  const template = fc
    .array(
      fc.oneof(hostile, fc.constantFrom(...Object.keys(MESSAGE_PLACEHOLDERS).map((name) => `{${name}}`))),
      {
        minLength: 1,
        maxLength: 5,
      },
    )
    .map((parts) => parts.join(''))
    .filter((text) => templateProblem(text) === null);

  it('forge no trailer and no second line, whatever names, reasons and people hold', () => {
    const one = fc.record({
      service: hostile,
      reason: hostile,
      subject: template,
      ticket: template,
      hostile,
    });
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 20 }), (cases) => {
        const made = cases.map(({ service, reason, subject, ticket, hostile }) => {
          const record = { ...RECORD, service, fields: [hostile], justification: `why ${reason}` };
          const signers = [{ name: hostile, email: reason }];
          const style = { subject, trailers: { Ticket: ticket, 'Ticket-2': '{reason}' }, signers };
          return { record, message: rollbackMessage({ record, shortTarget: 'aaaaaaa', style }) };
        });
        const logged = git.logged(made.map(({ message }) => message.text));
        made.forEach(({ record, message }, index) => {
          expect(logged[index]).toEqual(formatTrailers(message.trailers));
          expect(logged[index]?.slice(0, -1)).toEqual(
            expect.arrayContaining(formatTrailers(rollbackTrailers(record))),
          );
          const keys = new Set(message.trailers.map(([key]) => key.toLowerCase()));
          for (const [key] of rollbackTrailers(RECORD)) keys.delete(key.toLowerCase());
          for (const key of ['ticket', 'ticket-2', 'signed-off-by']) keys.delete(key);
          expect([...keys]).toEqual([]);
          expect(readRollback(logged[index] ?? [])?.problems).toEqual([]);
          expect(message.text).not.toMatch(/^This reverts commit/m);
          const [subject = '', blank] = message.text.split('\n');
          expect(subject.trim()).toBe(subject);
          expect(subject).not.toBe('');
          expect(Array.from(subject).length).toBeLessThanOrEqual(100);
          expect(blank).toBe('');
        });
      }),
      { numRuns: runs(60, 8) },
    );
  });
});
